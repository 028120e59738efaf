// The progress of a video, as a fraction and a label, from its document alone.

import type { Rendition, Video } from "../api/document.ts";
import { percent, remaining } from "./format.ts";

/** A part of a video, in seconds. */
export interface Part {
  start: number;
  end: number;
}

export interface Progress {
  /** The current step, in a few words. */
  label: string;
  /** 0 to 1; null while there is nothing to measure. */
  fraction: number | null;
}

/** Returns the progress of the work that is left; null when none is. */
export function progress(video: Video): Progress | null {
  switch (video.state) {
    case "uploading":
      return uploading(video.upload);
    case "uploaded":
      return { label: queued(video.queuePosition), fraction: null };
    case "planned":
    case "playable":
      return encoding(video);
    case "ready":
    case "failed":
      return null;
  }
}

/**
 * Returns where the video plays; null while it does not. A planned video has its addresses already,
 * but no segments behind them.
 */
export function playback({ state, playback: addresses }: Video): Video["playback"] {
  return state === "playable" || state === "ready" ? addresses : null;
}

// The packager's refusals (packager/src/refusal.rs): another run over the same file ends the same way.
export const REFUSALS: readonly string[] = [
  "not_media",
  "empty",
  "cut_off",
  "encrypted",
  "nothing_to_play",
  "unsupported_codec",
  "too_long",
  "frame_rate_too_high",
  "picture_too_large",
  "too_many_tracks",
  "too_much_work",
];

/** Returns whether a failed video may succeed when it is encoded again. */
export function retryHelps({ error }: Video): boolean {
  return error === null || !REFUSALS.includes(error.code);
}

/** Returns the name that a person knows the rendition by. */
export function renditionLabel(rendition: Rendition): string {
  if (rendition.kind === "video") return rendition.name;
  const which = rendition.label ?? rendition.language;
  // The server calls a track without a name so already.
  return which === null || which === "Audio" ? "Audio" : `Audio: ${which}`;
}

export function renditionFraction({ segmentsPublished, segmentsTotal }: Rendition): number {
  return segmentsTotal === 0 ? 0 : Math.min(1, segmentsPublished / segmentsTotal);
}

/** How fast a rendition is made, and how long that takes yet, as far as it is known: `1.8×, 40 seconds left`. */
export function pace({ speed, secondsLeft }: Rendition): string {
  if (speed === null || secondsLeft === null) return "";
  return `${speed.toFixed(1)}×, ${remaining(secondsLeft)}`;
}

/** Returns the parts of the video that play without a wait, in seconds; null once all of it does. */
export function encodedParts({ state, renditions }: Video): Part[] | null {
  if (state === "ready") return null;
  const pictures = renditions.filter((it) => it.kind === "video" && it.listed);
  const from = pictures.length > 0 ? pictures : renditions.filter((it) => it.listed);
  const parts = from.flatMap(({ publishedSeconds }) =>
    publishedSeconds.map(([start, end]) => ({ start, end })),
  );
  return joined(parts);
}

function joined(parts: Part[]): Part[] {
  const all: Part[] = [];
  for (const part of parts.toSorted((one, other) => one.start - other.start)) {
    const last = all.at(-1);
    if (last !== undefined && part.start <= last.end) last.end = Math.max(last.end, part.end);
    else all.push({ ...part });
  }
  return all;
}

function uploading(upload: Video["upload"]): Progress {
  if (upload === null || upload.bytesTotal === 0) return { label: "Uploading", fraction: null };
  const fraction = upload.bytesStored / upload.bytesTotal;
  return { label: `Uploading, ${percent(fraction)}`, fraction };
}

function encoding(video: Video): Progress {
  let published = 0;
  let total = 0;
  for (const rendition of video.renditions) {
    published += rendition.segmentsPublished;
    total += rendition.segmentsTotal;
  }
  if (published === 0) return { label: queued(video.queuePosition), fraction: 0 };
  const fraction = total === 0 ? 0 : published / total;
  const left = timeLeft(video);
  return { label: `Encoding, ${percent(fraction)}${left === "" ? "" : `, ${left}`}`, fraction };
}

// At the speed of all workers together.
function timeLeft({ durationSeconds, renditions }: Video): string {
  let missing = 0;
  let rate = 0;
  for (const rendition of renditions) {
    missing += 1 - renditionFraction(rendition);
    rate += rendition.speed ?? 0;
  }
  if (durationSeconds === null || rate === 0) return "";
  return remaining((missing * durationSeconds) / rate);
}

// The position counts the videos that go first, so 0 and null both mean that it is this one's turn.
function queued(position: number | null): string {
  if (position === null || position <= 0) return "Preparing";
  return position === 1 ? "1 video goes first" : `${position} videos go first`;
}
