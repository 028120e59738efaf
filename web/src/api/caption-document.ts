// The documents of a caption track and of its cues as the origin sends them, decoded once at this border.

import { isDocument, isObject, list, message, number, text } from "./json.ts";
import type * as Schema from "./schema.ts";

export type CaptionState = Schema.CaptionTrack["state"];

export interface Captions {
  id: string;
  /** The folder in playlists; null until the language is known. */
  name: string | null;
  language: string | null;
  label: string | null;
  origin: "file" | "machine" | "person";
  state: CaptionState;
  /** The reason for waiting or for the failure. */
  message: string | null;
  /** Listed in the playlists: there are cues. */
  listed: boolean;
  edited: boolean;
  translated: boolean;
  /** For what is spoken in another language, and shown while captions are off. */
  forced: boolean;
  secondsDone: number;
  /** The options of the transcription, to be requested again. */
  asked: Asked;
  machine: { model: string; sha256: string; library: string } | null;
  files: { vtt: string; srt: string; txt: string; json: string } | null;
  revision: number;
}

export interface Asked {
  language: string | null;
  model: string | null;
  prompt: string | null;
  translate: boolean;
}

export interface Cue {
  number: number;
  start: number;
  end: number;
  text: string;
}

const STATES: readonly string[] = [
  "queued",
  "waiting",
  "running",
  "done",
  "none",
  "failed",
] satisfies CaptionState[];

/** Returns the track, or null when the value is not a document of one. */
export function decodeCaptions(value: unknown): Captions | null {
  if (!isDocument<Schema.CaptionTrack>(value) || typeof value.id !== "string") return null;
  const { origin, state } = value;
  if (origin !== "file" && origin !== "machine" && origin !== "person") return null;
  if (typeof state !== "string" || !STATES.includes(state)) return null;
  const asked = decodeAsked(value.asked);
  return {
    id: value.id,
    name: text(value.name),
    language: text(value.language),
    label: text(value.label),
    origin,
    state: state as CaptionState,
    message: message(value.message),
    listed: value.listed === true,
    edited: value.edited === true,
    translated: origin === "machine" && asked.translate,
    forced: value.forced === true,
    secondsDone: number(value.seconds_done) ?? 0,
    asked,
    machine: decodeMachine(value.machine),
    files: decodeFiles(value.files),
    revision: number(value.revision) ?? 0,
  };
}

/** Returns the cues in the order in which they are shown; null when the value is no list of them. */
export function decodeCues(value: unknown): Cue[] | null {
  if (!isDocument<Schema.CueList>(value) || !Array.isArray(value.cues)) return null;
  return list(value.cues)
    .map(decodeCue)
    .filter((it) => it !== null);
}

export function decodeCue(value: unknown): Cue | null {
  if (!isDocument<Schema.Cue>(value)) return null;
  const name = number(value.number);
  const start = number(value.start_seconds);
  const end = number(value.end_seconds);
  if (name === null || start === null || end === null) return null;
  return { number: name, start, end, text: text(value.text) ?? "" };
}

function decodeAsked(value: unknown): Asked {
  const body = isDocument<Schema.AskedTranscription>(value) ? value : {};
  return {
    language: text(body.language),
    model: text(body.model),
    prompt: text(body.prompt),
    translate: body.translate === true,
  };
}

function decodeMachine(value: unknown): Captions["machine"] {
  if (!isObject(value)) return null;
  const model = text(value.model);
  if (model === null) return null;
  return { model, sha256: text(value.model_sha256) ?? "", library: text(value.library) ?? "" };
}

function decodeFiles(value: unknown): Captions["files"] {
  if (!isDocument<Schema.CaptionFiles>(value)) return null;
  const [vtt, srt, txt, json] = [value.vtt, value.srt, value.txt, value.json].map(text);
  if (!vtt || !srt || !txt || !json) return null;
  return { vtt, srt, txt, json };
}
