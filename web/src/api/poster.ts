// The choice of a video's poster: a frame, a picture, or again the automatic one.

import { isDocument, text } from "./json.ts";
import { type Outcome, request } from "./request.ts";
import type * as Schema from "./schema.ts";
import { videoPath } from "./videos.ts";

export type PosterState =
  | { state: "ready" }
  /** A packager is making it. */
  | { state: "waiting" }
  | { state: "failed"; message: string };

/** Has the frame at a moment made the poster. */
export function chooseFrame(video: string, seconds: number): Promise<Outcome<PosterState>> {
  const body: Schema.PosterFrame = { at_seconds: seconds };
  return request(posterPath(video), { method: "PUT", body, decode: decodePoster });
}

/** Has a picture made the poster. */
export function choosePicture(video: string, file: File): Promise<Outcome<PosterState>> {
  return request(posterPath(video), { method: "PUT", file, decode: decodePoster });
}

/** Has the poster chosen by the server again. */
export function resetPoster(video: string): Promise<Outcome<PosterState>> {
  return request(posterPath(video), { method: "DELETE", decode: decodePoster });
}

export function showPoster(video: string): Promise<Outcome<PosterState>> {
  return request(posterPath(video), { decode: decodePoster });
}

export function decodePoster(value: unknown): PosterState | null {
  if (!isDocument<Schema.Poster>(value)) return null;
  switch (value.state) {
    case "ready":
    case "waiting":
      return { state: value.state };
    case "failed":
      return { state: "failed", message: messageOf(value.error) };
    default:
      return null;
  }
}

function messageOf(error: unknown): string {
  const message = isDocument<Schema.PosterFailure>(error) ? text(error.message) : null;
  return message ?? "The poster could not be made.";
}

function posterPath(video: string): string {
  return `${videoPath(video)}/poster`;
}
