// The actions of a viewer: upload, open a video, play, seek, pick a quality. Each returns the media
// element's own facts.

import { basename } from "node:path";
import { readNumber } from "./frame-number.mjs";
import { until } from "./until.mjs";

/** Returns the facts of the element right now. */
export function look(page) {
  return page.evaluate(() => {
    const { video, events } = window.seen;
    const quality = video.getVideoPlaybackQuality();
    const buffered = Array.from({ length: video.buffered.length }, (_, i) => [
      video.buffered.start(i),
      video.buffered.end(i),
    ]);
    return {
      time: video.currentTime,
      duration: video.duration,
      paused: video.paused,
      seeking: video.seeking,
      ended: video.ended,
      readyState: video.readyState,
      error: video.error?.message ?? null,
      width: video.videoWidth,
      height: video.videoHeight,
      totalFrames: quality.totalVideoFrames,
      soundBytes: video.webkitAudioDecodedByteCount,
      droppedFrames: quality.droppedVideoFrames,
      buffered,
      seeks: events.filter((it) => it.name === "seeked").length,
      stalls: events.filter((it) => it.name === "waiting").map((it) => it.at),
    };
  });
}

/** Returns every picture that was shown since the page was opened or last sought. */
export async function frames(page) {
  const shown = await page.evaluate(() => window.seen.frames);
  return shown.map(({ pixels, ...it }) => ({ ...it, number: readNumber(pixels) }));
}

/** Returns once the element has ended, with its facts. */
export async function playToEnd(page, { rate = 1, seconds = 60 } = {}) {
  await page.evaluate((it) => {
    const { video } = window.seen;
    video.playbackRate = it;
    return video.play();
  }, rate);
  let last;
  const what = () => `the end of the video: ${JSON.stringify(last)}`;
  const ended = async () => {
    last = await look(page);
    if (last.error !== null) throw new Error(`the element failed: ${last.error}`);
    return last.ended && last;
  };
  return until(what, ended, { seconds });
}

/** Pauses, seeks by `move` and returns the picture on the screen. */
export async function seek(page, move) {
  await page.evaluate(() => window.seen.video.pause());
  await page.evaluate(() => {
    window.seen.frames.length = 0;
    window.seen.events.length = 0;
  });
  await move();
  let last;
  await until(
    () => `the picture after a seek: ${JSON.stringify(last)}`,
    async () => {
      last = await page.evaluate(() => {
        const { video, events, frames } = window.seen;
        const done = !video.seeking && events.some((it) => it.name === "seeked");
        return { done, time: video.currentTime, shown: frames.length, picture: video.videoWidth };
      });
      return last.done && (last.shown > 0 || last.picture === 0);
    },
  );
  const facts = await look(page);
  const shown = await frames(page);
  return { ...facts, frame: shown.at(-1) ?? null };
}

/** Presses the seek bar at a fraction of its length. */
export async function pressSeekBar(page, fraction) {
  const box = await page.getByRole("slider", { name: "Seek" }).boundingBox();
  await page.mouse.click(box.x + box.width * fraction, box.y + box.height / 2);
}

/** Returns the names in a menu of the player, as they stand there. */
export async function choices(page, menu) {
  await page.getByRole("button", { name: menu, exact: true }).click();
  const opened = page.getByRole("menu", { name: menu, exact: true });
  await opened.waitFor();
  const items = opened.getByRole("menuitemradio");
  const names = await items.evaluateAll((all) => all.map((it) => it.getAttribute("aria-label")));
  await closeMenu(page, menu);
  return names;
}

/** Closes an open menu by keyboard, and waits until it is gone: it covers what is below it. */
export async function closeMenu(page, menu) {
  const opened = page.getByRole("menu", { name: menu, exact: true });
  await opened.getByRole("menuitemradio").first().press("Escape");
  await opened.waitFor({ state: "detached" });
}

export async function choose(page, menu, name) {
  await page.getByRole("button", { name: menu, exact: true }).click();
  await page.getByRole("menuitemradio", { name, exact: true }).click();
}

/** Gives the file to the page's file input. */
export async function chooseFile(page, clip) {
  await page.locator("header input[type=file]").setInputFiles(clip.path);
}

/** Drops the file on the page: the browser's own event, trusted and with a file of the disk. */
export async function dropFile(page, clip) {
  // Before the page is drawn nobody listens for what is dropped.
  await page.locator("header input[type=file]").waitFor({ state: "attached" });
  const client = await page.context().newCDPSession(page);
  const data = { items: [], files: [clip.path], dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) {
    await client.send("Input.dispatchDragEvent", { type, x: 640, y: 500, data });
  }
  await client.detach();
}

/** Waits in the panel of uploads until the row of the clip offers to watch it, and returns it. */
export async function uploadedRow(page, clip, { whole = true } = {}) {
  const row = page
    .getByRole("region", { name: "Uploads" })
    .getByRole("listitem")
    .filter({ hasText: basename(clip.path) });
  const link = row.getByRole("link", { name: "Watch" });
  await link.waitFor({ timeout: 60_000 });
  if (whole) await row.getByText("Ready", { exact: true }).waitFor({ timeout: 120_000 });
  const id = (await link.getAttribute("href")).split("/").at(-1);
  return { link, id };
}

/** Waits until the page is scrolled to a place, in pixels. */
export async function scrolledTo(page, place) {
  let now;
  const arrived = async () => {
    now = await page.evaluate(() => window.scrollY);
    return Math.abs(now - place) < 2;
  };
  await until(() => `the place ${place}; it is ${now}`, arrived, { seconds: 5 });
}

/** Waits until the element knows its length. */
export function opened(page) {
  return until("the player's metadata", () =>
    page.evaluate(() => (window.seen?.video.readyState ?? 0) >= 1),
  );
}
