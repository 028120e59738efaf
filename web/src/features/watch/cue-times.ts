// The cue at a time, and times as people type them.

import type { Cue } from "../../api/caption-document.ts";

/** Returns the place of the cue that is shown at `seconds`, or of the last one before; -1 before all. */
export function cueAt(cues: readonly Cue[], seconds: number): number {
  // They are sorted by their start.
  let [low, high] = [0, cues.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cues[middle]?.start ?? 0) <= seconds) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Returns a time with its thousandths: `1:02.500`, `1:00:02.500`. */
export function timeText(seconds: number): string {
  const ms = Math.round(seconds * 1000);
  const h = Math.floor(ms / 3_600_000);
  const m = Math.floor((ms % 3_600_000) / 60_000);
  const s = String(Math.floor((ms % 60_000) / 1000)).padStart(2, "0");
  const rest = String(ms % 1000).padStart(3, "0");
  const minutes = h > 0 ? `${h}:${String(m).padStart(2, "0")}` : `${m}`;
  return `${minutes}:${s}.${rest}`;
}

/** Reads `2.5`, `1:02.5` or `1:00:02,5` as seconds; null when it is no time. */
export function readTime(typed: string): number | null {
  const parts = typed.trim().replace(",", ".").split(":");
  if (parts.length > 3) return null;
  let seconds = 0;
  for (const [at, part] of parts.entries()) {
    const last = at === parts.length - 1;
    if (!(last ? /^\d+(\.\d+)?$/ : /^\d+$/).test(part)) return null;
    const value = Number(part);
    if (at > 0 && value >= 60) return null;
    seconds = seconds * 60 + value;
  }
  return seconds;
}
