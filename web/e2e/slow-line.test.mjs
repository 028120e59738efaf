// The first segment that a viewer gets: by what is known of the line, else the smallest.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { startServer, upload } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

const SLOW_BPS = 1_000_000;

// Seven seconds of the slow line, page and player included.
const MOST_BYTES = (7 * SLOW_BPS) / 8;

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

  test("on a slow line after few bytes, the large poster not among them", async () => {
    const { page, context, requests } = await newPage(browser);
    const client = await context.newCDPSession(page);
    await client.send("Network.enable");
    const rate = SLOW_BPS / 8;
    const line = { offline: false, latency: 20, downloadThroughput: rate, uploadThroughput: rate };
    await client.send("Network.emulateNetworkConditions", { ...line, connectionType: "wifi" });
    // As they went over the line, those of requests that are still on their way included.
    const received = new Map();
    client.on("Network.dataReceived", ({ requestId, encodedDataLength }) => {
      received.set(requestId, (received.get(requestId) ?? 0) + encodedDataLength);
    });
    client.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
      received.set(requestId, encodedDataLength);
    });
    await page.goto(`${server.url}/watch/${video.id}`);
    await until("the first frame", () => page.evaluate(() => window.seen?.frames.length > 0));
    const bytes = [...received.values()].reduce((sum, it) => sum + it, 0);
    assert.ok(bytes < MOST_BYTES, `${bytes} bytes before the first frame`);
    const first = requests.filter((it) => /\d+p\d*\/0\.m4s$/.test(it));
    assert.equal(first.length, 1, `${first}`);
    assert.equal(requests.filter((it) => it.endsWith("/poster.jpg")).length, 0);
    await context.close();
  });

  test("with its code, its player and its document on their way at once", async () => {
    const { page, context, requests } = await newPage(browser);
    let release;
    const held = new Promise((resolve) => {
      release = resolve;
    });
    await page.route("**/assets/watch-*.js", async (route) => {
      await held;
      await route.continue();
    });
    const paths = () => requests.map((it) => new URL(it).pathname);
    const document = `/api/v1/videos/${video.id}`;
    await page.goto(`${server.url}/watch/${video.id}`, { waitUntil: "commit" });
    await until("the document's request", () => paths().includes(document));
    await until("the engine's request", () => paths().some((it) => it.includes("/hls-engine-")));
    release();
    await viewer.opened(page);
    assert.equal(paths().filter((it) => it === document).length, 1);
    await context.close();
  });

  test("with a rendition that a slow line carries", async () => {
    const visit = await newPage(browser);
    const name = await firstRendition(visit, SLOW_BPS);
    const master = await (await fetch(`${server.url}/v/${video.id}/master.m3u8`)).text();
    const lines = master.split("\n");
    const variant = lines[lines.indexOf(`${name}/media.m3u8`) - 1];
    const bandwidth = Number(/[:,]BANDWIDTH=(\d+)/.exec(variant)[1]);
    assert.ok(bandwidth < SLOW_BPS, `${name}: ${variant}`);
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
