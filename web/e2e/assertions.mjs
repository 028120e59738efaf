// The assertions on a played clip, the same for every player.

import assert from "node:assert/strict";
import { frames, seek } from "./viewer.mjs";

const LONGEST_SEGMENT_SECONDS = 4;

export function near(actual, expected, within, what) {
  assert.ok(Math.abs(actual - expected) <= within, `${what}: ${actual} instead of ${expected}`);
}

/** Returns the frame rate that the video's document names, or undefined when there is no picture. */
export function frameRate(document) {
  return document.renditions.find((it) => it.kind === "video")?.frame_rate;
}

/** Returns how many frames every rendition must have. */
export function plannedFrames(clip, document) {
  if (clip.numbered) return clip.picture.frames;
  return Math.round(document.duration_seconds * frameRate(document));
}

/** Fails unless the element, as `viewer.playToEnd` returns it, has played all of the clip. */
export async function assertPlayedWhole(page, facts, { clip, fps, planned }) {
  near(facts.duration, clip.seconds, 0.1, "duration");
  near(facts.time, facts.duration, 0.05, "the time at the end");
  assert.equal(facts.buffered.length, 1, `one range, not ${JSON.stringify(facts.buffered)}`);
  // Players forget what was watched half a minute ago.
  if (facts.duration < 30) near(facts.buffered[0][0], 0, 0.001, "the first buffered moment");
  near(facts.buffered[0][1], facts.duration, 0.02, "the last buffered moment");
  if (clip.sounds > 0) assert.ok(facts.soundBytes > 0, "sound was decoded");
  if (clip.picture === null) return;

  // Chromium decodes from the key frame again after a seek, and players seek on their own where a
  // busy machine stalls them (Shaka's `stallSkip`): that adds at most a segment's pictures a seek.
  const again = facts.seeks * fps * LONGEST_SEGMENT_SECONDS;
  const decoded = `decoded frames: ${facts.totalFrames} of ${planned} after ${facts.seeks} seeks`;
  assert.ok(facts.totalFrames >= planned - 2, decoded);
  assert.ok(facts.totalFrames <= planned + 2 + again, decoded);
  const shown = await frames(page);
  // A busy machine skips pictures, the first and the last too; `assertStartsAtZero` is exact.
  const unshown = fps / 2;
  near(shown[0].mediaTime * fps, 0, unshown, "the first picture's number");
  near(shown.at(-1).mediaTime * fps, planned - 1, unshown, "the last picture's number");
  for (const { mediaTime } of shown) {
    near(mediaTime * fps, Math.round(mediaTime * fps), 0.02, "a frame's time");
  }
  if (clip.numbered) assertInPlace(shown, fps);
  // The share of decoded pictures on the screen depends on the machine; this many suffice.
  assert.ok(shown.length >= Math.min(planned, 10), `${shown.length} of ${planned} were shown`);
}

/** Fails unless the clip's very first picture stands at the time 0. */
export async function assertStartsAtZero(page, clip) {
  const rewind = () =>
    page.evaluate(() => {
      window.seen.video.currentTime = 0;
    });
  const { time, frame } = await seek(page, rewind);
  assert.equal(time, 0);
  if (clip.picture === null) return;
  assert.equal(frame.mediaTime, 0, "the first picture's time");
  if (clip.numbered) assert.equal(frame.number, 0, "the first picture");
}

// The browser may already show a later picture while it reports the last one, so that a picture read
// during playback is at times ahead; the still ones after a seek are compared exactly.
function assertInPlace(shown, fps) {
  const ahead = shown.map((it) => it.number - Math.round(it.mediaTime * fps));
  const exact = ahead.filter((it) => it === 0).length;
  assert.ok(
    ahead.every((it) => it >= 0),
    `pictures behind their times: ${ahead}`,
  );
  assert.ok(exact > ahead.length / 2, `pictures ahead of their times: ${ahead}`);
}
