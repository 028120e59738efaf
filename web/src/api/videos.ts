// The library's calls, one function each.

import { decodePage, decodeVideo, type Video, type VideoPage } from "./document.ts";
import { type Outcome, request } from "./request.ts";

const ROOT = "/api/v1/videos";

export interface PageQuery {
  limit: number;
  cursor: string | null;
  signal?: AbortSignal;
}

export function listVideos({ limit, cursor, signal }: PageQuery): Promise<Outcome<VideoPage>> {
  const query = new URLSearchParams({ limit: String(limit) });
  if (cursor !== null) query.set("cursor", cursor);
  return request(`${ROOT}?${query}`, { decode: decodePage, ...(signal && { signal }) });
}

// The document of the page's own video, on its way before the code that shows it.
let early: { id: string; outcome: Promise<Outcome<Video>> } | null = null;

/** Requests a video's document, which the next `showVideo` takes too. */
export function requestEarly(id: string): Promise<Outcome<Video>> {
  const outcome = showVideo(id);
  early = { id, outcome };
  return outcome;
}

export function showVideo(id: string, signal?: AbortSignal): Promise<Outcome<Video>> {
  const found = early;
  early = null;
  if (found?.id === id) return found.outcome;
  return request(videoPath(id), { decode: decodeVideo, ...(signal && { signal }) });
}

export interface Edit {
  title: string;
  description: string;
}

export function editVideo(id: string, edit: Edit): Promise<Outcome<Video>> {
  return request(videoPath(id), { method: "PATCH", body: edit, decode: decodeVideo });
}

/** Deletes the video with everything that was made from it. */
export function deleteVideo(id: string): Promise<Outcome<true>> {
  return request(videoPath(id), { method: "DELETE", decode: () => true });
}

/** Puts a failed video back into the queue. */
export function retryVideo(id: string): Promise<Outcome<Video>> {
  return request(`${videoPath(id)}/retry`, { method: "POST", decode: decodeVideo });
}

export function videoPath(id: string): string {
  return `${ROOT}/${encodeURIComponent(id)}`;
}
