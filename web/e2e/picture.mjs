// The comparison of the picture on the screen with the source's at that time.

import assert from "node:assert/strict";
import { succeed } from "./command.mjs";

const SIZE = [16, 9];

// Of 255, over all pixels: two encodings of one frame differ by one to three, two scenes by tens.
const NEAR = 8;

/** Fails unless `frame`, as `viewer.frames` returns it, belongs to its time in the clip. */
export async function assertRightPicture(page, clip, fps, frame) {
  const at = frame.mediaTime * fps;
  const number = Math.round(at);
  assert.ok(Math.abs(at - number) < 0.02, `${frame.mediaTime} s is not a multiple of 1/${fps} s`);
  if (clip.numbered) assert.equal(frame.number, number, `the picture at ${frame.mediaTime} s`);
  // ffmpeg takes the first frame from a time on, so half a frame before is surely this one.
  else await assertLikeSource(page, clip, Math.max(0, frame.mediaTime - 0.5 / fps));
}

async function assertLikeSource(page, clip, seconds) {
  const [width, height] = SIZE;
  const { stdout: source } = await succeed(
    "ffmpeg",
    [
      ...["-v", "error", "-i", clip.path, "-ss", seconds.toFixed(4), "-frames:v", "1"],
      ...["-vf", `scale=${width}:${height}`, "-pix_fmt", "rgb24", "-f", "rawvideo", "-"],
    ],
    { encoding: "buffer" },
  );
  const shown = await page.evaluate((size) => window.seen.thumbnail(size), SIZE);
  const sum = shown.reduce((all, value, i) => all + Math.abs(value - source[i]), 0);
  const apart = sum / shown.length;
  assert.ok(
    apart < NEAR,
    `at ${seconds} s the picture is ${apart.toFixed(1)} away from the source`,
  );
}
