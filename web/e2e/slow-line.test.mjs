// The first segment that a viewer gets: by what is known of the line, else the smallest.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { startServer, upload } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

describe("playback starts", { concurrency: false }, () => {
  let server;
  let browser;
  let video;
  let ladder;
  before(async () => {
    server = await startServer();
    video = await upload(server, await clip("stereo-1080p25.mp4"));
    const pictures = video.renditions.filter((it) => it.kind === "video");
    ladder = pictures.sort((a, b) => a.bitrate_bps - b.bitrate_bps).map((it) => it.name);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** Resolves to the rendition of the first segment on a line whose rate, in bits per second, the browser knows. */
  async function firstRendition(visit, bitsPerSecond) {
    const { page, requests } = visit;
    const client = await page.context().newCDPSession(page);
    await client.send("Network.enable");
    await client.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 20,
      downloadThroughput: bitsPerSecond / 8,
      uploadThroughput: bitsPerSecond / 8,
      connectionType: "wifi",
    });
    const before = requests.length;
    await page.goto(`${server.url}/watch/${video.id}`);
    await viewer.opened(page);
    await client.detach();
    const segment = await until("a segment", () =>
      requests.slice(before).find((it) => /\/\d+p\d*\/\d+\.m4s$/.test(it)),
    );
    return segment.split("/").at(-2);
  }

  test("with the smallest rendition on a line that nobody knows", async () => {
    const visit = await newPage(browser);
    await visit.page.addInitScript(() => {
      Object.defineProperty(Navigator.prototype, "connection", { get: () => undefined });
    });
    assert.equal(await firstRendition(visit, 100_000_000), ladder[0]);
    await visit.context.close();
  });

  test("with a rendition that a slow line carries", async () => {
    const visit = await newPage(browser);
    const name = await firstRendition(visit, 1_000_000);
    const master = await (await fetch(`${server.url}/v/${video.id}/master.m3u8`)).text();
    const lines = master.split("\n");
    const variant = lines[lines.indexOf(`${name}/media.m3u8`) - 1];
    const bandwidth = Number(/[:,]BANDWIDTH=(\d+)/.exec(variant)[1]);
    assert.ok(bandwidth < 1_000_000, `${name}: ${variant}`);
    await visit.context.close();
  });

  test("with a larger one where the line was measured before", async () => {
    const visit = await newPage(browser);
    await visit.page.addInitScript(() => {
      localStorage.setItem("clipcut.player", JSON.stringify({ lineBps: 100_000_000 }));
    });
    assert.equal(await firstRendition(visit, 100_000_000), ladder.at(-1));
    await visit.context.close();
  });
});
