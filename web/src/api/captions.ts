// The calls for captions, one function each.

import {
  type Captions,
  type Cue,
  decodeCaptions,
  decodeCue,
  decodeCues,
} from "./caption-document.ts";
import { type Outcome, request } from "./request.ts";
import type * as Schema from "./schema.ts";
import { sharedPath, videoPath } from "./videos.ts";

/** The language and name that a person gives a caption track. */
export interface Naming {
  language: string;
  label: string;
}

/** The options of a transcription; empty leaves the choice to the transcriber. */
export interface TranscriptionOptions {
  language: string;
  model: string;
  prompt: string;
  translate: boolean;
}

export function addCaptions(video: string, naming: Naming, file: Blob): Promise<Outcome<Captions>> {
  const path = `${captionsPath(video)}?${new URLSearchParams({ ...naming })}`;
  return request(path, { method: "POST", file, decode: decodeCaptions });
}

export function replaceCaptions(
  video: string,
  track: string,
  file: Blob,
): Promise<Outcome<Captions>> {
  return request(trackPath(video, track), { method: "PUT", file, decode: decodeCaptions });
}

export function renameCaptions(
  video: string,
  track: string,
  naming: Naming,
): Promise<Outcome<Captions>> {
  return request(trackPath(video, track), {
    method: "PATCH",
    body: naming satisfies Schema.CaptionNames,
    decode: decodeCaptions,
  });
}

export function deleteCaptions(video: string, track: string): Promise<Outcome<true>> {
  return request(trackPath(video, track), { method: "DELETE", decode: () => true });
}

/** Requests a new machine track, or, with `track`, a new transcription of that one. */
export function requestTranscription(
  video: string,
  track: string | null,
  options: TranscriptionOptions,
): Promise<Outcome<Captions>> {
  const path = track === null ? captionsPath(video) : trackPath(video, track);
  const { language, model, prompt, translate } = options;
  const body: Schema.TranscriptionRequest = {
    ...(language !== "" && { language }),
    ...(model !== "" && { model }),
    ...(prompt !== "" && { prompt }),
    translate,
  };
  return request(`${path}/machine`, { method: "POST", body, decode: decodeCaptions });
}

export function listCues(
  video: string,
  track: string,
  signal: AbortSignal,
): Promise<Outcome<Cue[]>> {
  const path = sharedPath(`${trackPath(video, track)}/cues`);
  return request(path, { decode: decodeCues, signal });
}

export function editCue(video: string, track: string, cue: Cue): Promise<Outcome<Cue>> {
  const body: Schema.CueChanges = {
    start_seconds: cue.start,
    end_seconds: cue.end,
    text: cue.text,
  };
  return request(cuePath(video, track, cue.number), { method: "PATCH", body, decode: decodeCue });
}

export function deleteCue(video: string, track: string, number: number): Promise<Outcome<true>> {
  return request(cuePath(video, track, number), { method: "DELETE", decode: () => true });
}

function captionsPath(video: string): string {
  return `${videoPath(video)}/captions`;
}

function trackPath(video: string, track: string): string {
  return `${captionsPath(video)}/${encodeURIComponent(track)}`;
}

function cuePath(video: string, track: string, number: number): string {
  return `${trackPath(video, track)}/cues/${number}`;
}
