// The watch page below the picture: no hole where something is missing, and nothing that moves by itself.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { begin, ready, startServer, upload } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

describe("below the picture", { concurrency: false }, () => {
  let server;
  let browser;
  before(async () => {
    // There is no runtime for models, wherever the machine may have one.
    server = await startServer({ CLIPCUT_ONNXRUNTIME: "/nowhere" });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const elsewhere = (page) => page.locator("details", { hasText: "Play elsewhere" });

  test("a video without a description leaves no empty column", async () => {
    const video = await upload(server, await clip("mono-360p30.mp4"));
    const { page, context } = await newPage(browser);
    await page.goto(`${server.url}/watch/${video.id}`);
    await viewer.opened(page);
    const title = await page.getByRole("heading", { level: 1 }).boundingBox();
    const panel = await elsewhere(page).boundingBox();
    assert.equal(panel.x, title.x);
    await context.close();
  });

  test("what is there stands still while an encode goes on and ends", async () => {
    const { page, context } = await newPage(browser);
    await page.addInitScript(() => {
      window.shifts = [];
      new PerformanceObserver((list) => window.shifts.push(...list.getEntries())).observe({
        type: "layout-shift",
        buffered: true,
      });
    });
    const id = await begin(server, await clip("long-360p25.mp4"));
    await until("it to play", async () => {
      const video = await (await fetch(`${server.url}/api/v1/videos/${id}`)).json();
      return video.state === "playable" || video.state === "ready";
    });
    await page.goto(`${server.url}/watch/${id}`);
    const work = page.getByRole("region", { name: "Encoding" });
    await work.waitFor();
    const before = await elsewhere(page).boundingBox();
    await ready(server, id);
    await work.waitFor({ state: "detached" });
    assert.deepEqual(await elsewhere(page).boundingBox(), before);
    const shifts = await page.evaluate(() =>
      window.shifts
        .flatMap((it) => it.sources)
        .map((it) => it.node?.parentElement?.closest("article > header, details"))
        .filter((it) => it != null)
        .map((it) => it.textContent),
    );
    assert.deepEqual(shifts, []);
    await context.close();
  });

  test("captions that wait for a model are a sentence, without a bar that never moves", async () => {
    const video = await upload(server, await clip("mono-360p30.mp4"));
    const path = `${server.url}/api/v1/videos/${video.id}/captions`;
    const { captions } = await (await fetch(path)).json();
    assert.deepEqual([captions.length, captions[0].state], [1, "waiting"]);
    const { page, context } = await newPage(browser);
    await page.goto(`${server.url}/watch/${video.id}`);
    const transcript = page.getByRole("region", { name: "Transcript" });
    // The sentence up to the first name in it, which the page sets apart.
    await transcript.getByText(captions[0].message.split(/[:`]/)[0]).waitFor();
    assert.equal(await transcript.getByRole("progressbar").count(), 0);
    await context.close();
  });
});
