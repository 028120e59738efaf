// Polling for a condition, up to a limit.

import { setTimeout as pause } from "node:timers/promises";

/** Resolves to what `look` returns once that is true; names what was waited for when it never is. */
export async function until(what, look, { seconds = 30, every = 50 } = {}) {
  const deadline = performance.now() + seconds * 1000;
  let last;
  while (performance.now() < deadline) {
    last = await look();
    if (last) return last;
    await pause(every);
  }
  throw new Error(`waited ${seconds} s for ${typeof what === "function" ? await what() : what}`);
}
