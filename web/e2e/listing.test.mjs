// A video while it is encoded: playlists list what players can live on, and the page, which has the whole ladder from
// the beginning, takes what joins without loading anything again.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { begin, ready, startServer } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

const BEGINS_ON = "240p";
const BEST = "720p";

describe("a video that is encoded while it is watched", { concurrency: false }, () => {
  let server;
  let browser;
  let visit;
  let id;
  before(async () => {
    // Slow enough to be watched before the best rendition is there.
    server = await startServer({ CLIPCUT_LADDER: "720,240", CLIPCUT_PRESET: "medium" });
    browser = await launch();
    visit = await newPage(browser);
    id = await begin(server, await clip("long-720p25.mp4"));
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const document = async () => (await fetch(`${server.url}/api/v1/videos/${id}`)).json();
  const text = async (file) => (await fetch(`${server.url}/v/${id}/${file}`)).text();
  const variants = (playlist) => playlist.match(/^\d+p(?=\/media\.m3u8$)/gm);
  const segmentsOfBest = () => visit.requests.filter((it) => it.includes(`/${BEST}/`));

  test("is listed in the rendition that players begin on, at once", async () => {
    const video = await until("it to play", async () => {
      const it = await document();
      return it.state === "playable" && it;
    });
    const listed = video.renditions.filter((it) => it.listed).map((it) => it.name);
    assert.deepEqual(listed, [BEGINS_ON, "audio"]);
    assert.deepEqual(variants(await text("master.m3u8")), [BEGINS_ON]);
    assert.deepEqual((await text("manifest.mpd")).match(/Representation id="\d+p"/g), [
      `Representation id="${BEGINS_ON}"`,
    ]);
    assert.deepEqual(variants(await text("ladder.m3u8")), [BEGINS_ON, BEST]);
  });

  test("shows all its qualities in the page, of which Auto takes those that are listed", async () => {
    const { page } = visit;
    await page.goto(`${server.url}/watch/${id}`);
    await viewer.opened(page);
    assert.deepEqual(await viewer.choices(page, "Quality"), ["Auto", BEST, BEGINS_ON]);
    await page.evaluate(() => window.seen.video.pause());
    assert.equal(segmentsOfBest().length, 0);
  });

  test("sharpens without a reload once there is more", async () => {
    const { page, requests } = visit;
    const { renditions } = await ready(server, id);
    assert.ok(renditions.every((it) => it.listed));
    assert.deepEqual(variants(await text("master.m3u8")).sort(), [BEGINS_ON, BEST]);
    await page.evaluate(() => window.seen.video.play());
    await until(`${BEST} on the screen`, async () => (await viewer.look(page)).height === 720, {
      seconds: 60,
    });
    const playlists = requests.filter((it) => /\/(master|ladder)\.m3u8$/.test(it));
    assert.deepEqual(
      playlists.map((it) => it.split("/").at(-1)),
      ["ladder.m3u8"],
    );
    assert.deepEqual(visit.troubles, []);
  });
});
