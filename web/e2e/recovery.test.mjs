// A server that goes and comes back, and a video that is deleted, while somebody watches.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { startServer, upload } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

describe("while somebody watches", { concurrency: false }, () => {
  let server;
  let browser;
  let visit;
  let video;
  before(async () => {
    server = await startServer();
    video = await upload(server, await clip("long-360p25.mp4"));
    browser = await launch();
    visit = await newPage(browser);
    await visit.page.goto(`${server.url}/watch/${video.id}`);
    await viewer.opened(visit.page);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test("no more than half a minute is read ahead", async () => {
    const { page } = visit;
    await page.evaluate(() => window.seen.video.pause());
    let last = -1;
    // Two looks alike: the player has loaded what it wants.
    const facts = await until(
      "the end of the read-ahead",
      async () => {
        const { buffered, time } = await viewer.look(page);
        const end = buffered.at(-1)?.[1] ?? 0;
        const settled = end > time + 10 && end === last;
        last = end;
        return settled && { end, time };
      },
      { every: 2000 },
    );
    assert.ok(facts.end - facts.time <= 30.5, `${facts.end - facts.time} s`);
  });

  test("a server that went away is named, and playback goes on by itself when it is back", async () => {
    const { page } = visit;
    await server.fall();
    await page.getByText("This page goes on by itself once it does").waitFor({ timeout: 30_000 });
    await page.keyboard.press("8");
    // Not awaited: the promise is settled only once there is something to play.
    await page.evaluate(() => void window.seen.video.play().catch(() => {}));
    // hls.js tries again for a while before it gives up.
    await page.getByText("The connection was lost").waitFor({ timeout: 60_000 });
    await server.rise();
    const place = video.duration_seconds * 0.8;
    await until(
      "playback beyond the place where it stopped",
      async () => {
        const { time, readyState } = await viewer.look(page);
        return readyState >= 3 && time > place + 0.5 && time < place + 15;
      },
      { seconds: 40 },
    );
    assert.equal(await page.getByText("The connection was lost").count(), 0);
    await page.getByText("This page goes on by itself once it does").waitFor({ state: "detached" });
  });

  test("a player whose code does not come names the server, and plays once it does", async () => {
    const { page, context } = await newPage(browser);
    // As in browsers without HLS of their own.
    await page.addInitScript(() => {
      HTMLMediaElement.prototype.canPlayType = () => "";
    });
    const engine = /\/hls-engine-/;
    await page.route(engine, (route) => route.abort());
    await page.goto(`${server.url}/watch/${video.id}`);
    await page.getByText("The connection was lost").waitFor();
    await page.unroute(engine);
    await viewer.opened(page);
    assert.equal(await page.getByText("The connection was lost").count(), 0);
    await context.close();
  });

  test("a part of the page that does not come is loaded with it again", async () => {
    const { page, context } = await newPage(browser);
    const part = /\/watch-[^/]*\.js/;
    await page.route(part, (route) => route.fulfill({ status: 404, body: "" }));
    await page.goto(`${server.url}/watch/${video.id}`);
    await page.getByText("has a newer page").waitFor();
    await page.unroute(part);
    await page.getByRole("button", { name: "Try again" }).click();
    await viewer.opened(page);
    await context.close();
  });

  test("a video that is deleted elsewhere is named as such", async () => {
    const answer = await fetch(`${server.url}/api/v1/videos/${video.id}`, { method: "DELETE" });
    assert.equal(answer.status, 204);
    await visit.page.getByRole("heading", { name: "This video is not here" }).waitFor();
  });
});
