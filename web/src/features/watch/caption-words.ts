// The labels of caption tracks and of their states.

import type { Captions } from "../../api/caption-document.ts";
import { languageName } from "../../player/state.ts";
import { clock, percent } from "../../shared/format.ts";

/** Returns the track's label in menus: its given name, or its language and author. */
export function captionLabel(track: Captions): string {
  const spoken = track.language === "und" ? null : track.language;
  const language = languageName(spoken ?? track.asked.language ?? "") || "Subtitles";
  if (track.label !== null) return track.label;
  if (track.forced) return `${language} (forced)`;
  return track.origin === "machine" ? `${language} (automatic)` : language;
}

/** Returns the track's state as a sentence; a message of the server takes precedence. */
export function captionState(track: Captions, durationSeconds: number | null): string {
  switch (track.state) {
    case "queued":
      return "Waiting for its turn";
    case "waiting":
      return track.message ?? "Waiting for the model";
    case "running": {
      const done = fractionDone(track, durationSeconds);
      if (done === null || track.secondsDone === 0) return "Listening";
      return `Listening, ${percent(done)}: up to ${clock(track.secondsDone)}`;
    }
    case "none":
      return track.origin === "machine" ? "Nobody speaks in this video" : "There is nothing in it";
    case "failed":
      return track.message ?? "It could not be written";
    case "done":
      return "Complete";
  }
}

/** Returns the state for somebody who only reads: what the server lacks is its owner's to mend. */
export function readerState(track: Captions): string {
  if (track.state === "failed") return "There are no captions";
  if (track.state === "none") return captionState(track, null);
  return "Captions are not written yet";
}

/** Returns the written share of the video, 0 to 1; null when its length is not known. */
export function fractionDone(track: Captions, durationSeconds: number | null): number | null {
  if (durationSeconds === null || durationSeconds <= 0) return null;
  return Math.min(1, track.secondsDone / durationSeconds);
}

/** Returns where the words are from: for a machine's, by which model. */
export function captionSource(track: Captions): string {
  const edited = track.edited ? ", corrected by hand" : "";
  if (track.origin === "file") return `From the video's file${edited}`;
  if (track.origin === "person") return `Added by hand${edited}`;
  if (track.machine === null) return `Written by a machine${edited}`;
  const { model, sha256, library } = track.machine;
  const hash = sha256 === "" ? "" : ` (${sha256.slice(0, 12)})`;
  return `Written by ${model}${hash}${library === "" ? "" : `, ${library}`}${edited}`;
}

/** Returns whether the track is going to change by itself. */
export function isUnderWay(track: Captions): boolean {
  return track.state === "queued" || track.state === "waiting" || track.state === "running";
}
