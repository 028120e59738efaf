// A search from the header: what is said in a video is found.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { startServer, upload } from "./server.mjs";

const CAPTIONS = `WEBVTT

00:00:01.000 --> 00:00:02.000
Nothing here

00:00:03.500 --> 00:00:05.000
The <i>wandering</i> dunes of Łódź
`;

describe("search", { concurrency: false }, () => {
  let server;
  let browser;
  let visit;
  let video;
  before(async () => {
    server = await startServer();
    video = await upload(server, await clip("mono-360p30.mp4"));
    const added = await fetch(`${server.url}/api/v1/videos/${video.id}/captions?language=en`, {
      method: "POST",
      body: CAPTIONS,
    });
    assert.equal(added.status, 201);
    browser = await launch();
    visit = await newPage(browser);
    await visit.page.goto(server.url);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const results = (page) => page.getByRole("list", { name: "Results" });

  test("finds what is said, by keyboard alone", async () => {
    const { page } = visit;
    await page.getByRole("list", { name: "Videos" }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("LODZ wander");
    await page.keyboard.press("Enter");
    const moment = results(page).getByRole("link", { name: /0:03/ });
    await moment.waitFor();
  });

  test("says that nothing was found, and shows a script as text", async () => {
    const { page } = visit;
    const words = "<img src=x onerror=alert(1)>";
    await page.getByRole("searchbox").fill(words);
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("heading", { name: `Nothing found for “${words}”` }).waitFor();
    assert.equal(await page.locator("main img").count(), 0);
  });

  test("fits a phone of 360 pixels", async () => {
    const { page, context } = await newPage(browser, { viewport: { width: 360, height: 740 } });
    await page.goto(`${server.url}/search?q=dunes`);
    await results(page).waitFor();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 360, `${width}`);
    const field = await page.getByRole("searchbox").boundingBox();
    assert.ok(field.width >= 120, `${field.width}`);
    await context.close();
  });

  test("tells what is wrong while the server is away, and tries again", async () => {
    const { page, context } = await newPage(browser);
    await page.route("**/api/v1/search*", (route) => route.abort());
    await page.goto(`${server.url}/search?q=dunes`);
    await page.getByRole("alert").filter({ hasText: "does not answer" }).waitFor();
    await page.unroute("**/api/v1/search*");
    await page.getByRole("button", { name: "Try again" }).click();
    await results(page).waitFor();
    await context.close();
  });
});
