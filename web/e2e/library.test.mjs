// The library as a list to come back to, in every script, and in colours that a person chose.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { startServer, upload } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

// More than a page of the list, and several screens.
const UPLOADS = 30;
const ARABIC = "مرحبا بالعالم (1)";

describe("the library", { concurrency: false }, () => {
  let server;
  let browser;
  let visit;
  let video;
  let asFirst;
  before(async () => {
    server = await startServer();
    video = await upload(server, await clip("mono-360p30.mp4"));
    browser = await launch();
    visit = await newPage(browser);
    await visit.page.goto(server.url);
    asFirst = await poster().getAttribute("loading");
    for (let at = 0; at < UPLOADS; at += 1) {
      // Cards of uploads that never go on: nothing needs to be encoded for them.
      const title = Buffer.from(at === 0 ? ARABIC : `Upload ${at}`).toString("base64");
      const headers = {
        "tus-resumable": "1.0.0",
        "upload-length": "1000",
        "upload-metadata": `title ${title}`,
      };
      await fetch(`${server.url}/api/v1/uploads`, { method: "POST", headers });
    }
    await visit.page.goto(server.url);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const cards = () => visit.page.getByRole("list", { name: "Videos" }).getByRole("listitem");

  const poster = () => visit.page.getByRole("list", { name: "Videos" }).locator("img");

  test("is where it was after Back, with all that was loaded", async () => {
    const { page } = visit;
    await cards().first().waitFor();
    await page.getByRole("button", { name: "Load more" }).click();
    await until("all cards", async () => (await cards().count()) === UPLOADS + 1);
    const link = page.getByRole("link", { name: video.title });
    await link.scrollIntoViewIfNeeded();
    const place = await page.evaluate(() => window.scrollY);
    assert.ok(place > 300, `${place}`);
    await link.click();
    await page.getByRole("heading", { name: video.title }).waitFor();
    assert.equal(await page.evaluate(() => window.scrollY), 0);
    await page.goBack();
    await link.waitFor();
    let now;
    await until(
      () => `the place ${place}; it is ${now}`,
      async () => {
        now = await page.evaluate(() => window.scrollY);
        return Math.abs(now - place) < 2;
      },
      { seconds: 5 },
    );
    assert.equal(await cards().count(), UPLOADS + 1);
  });

  test("sets each title in its own direction", async () => {
    const link = visit.page.getByRole("link", { name: ARABIC });
    assert.equal(await link.evaluate((it) => getComputedStyle(it).direction), "rtl");
  });

  test("loads the posters of its first row at once, and the others when they come into sight", async () => {
    const asLast = await poster().getAttribute("loading");
    assert.deepEqual([asFirst, asLast], ["eager", "lazy"]);
  });

  test("shows one length of a video everywhere", async () => {
    const { page } = visit;
    await page.goto(server.url);
    await page.getByRole("button", { name: "Load more" }).click();
    const card = cards().filter({ hasText: video.title });
    const length = /\d+:\d\d/.exec(await card.innerText())[0];
    await card.getByRole("link", { name: video.title }).click();
    await viewer.opened(page);
    const player = page.getByRole("region", { name: "Video player" });
    await player.getByText(`/ ${length}`).waitFor();
    await viewer.playToEnd(page, { rate: 4 });
    await player.getByText(`${length} / ${length}`).waitFor();
  });

  test("has its white on the accent readable in light and dark", async () => {
    for (const colorScheme of ["light", "dark"]) {
      const { page, context } = await newPage(browser, { colorScheme });
      await page.goto(server.url);
      const button = page.getByRole("button", { name: "Upload", exact: true });
      const [text, ground] = await button.evaluate((it) => {
        const { color, backgroundColor } = getComputedStyle(it);
        return [color, backgroundColor];
      });
      // WCAG 2.2 §1.4.3.
      assert.ok(contrast(text, ground) >= 4.5, `${colorScheme}: ${contrast(text, ground)}`);
      await context.close();
    }
  });

  test("fills a full screen from edge to edge", async () => {
    const { page } = visit;
    await page.goto(`${server.url}/watch/${video.id}`);
    await viewer.opened(page);
    await page.keyboard.press("f");
    await until("full screen", () => page.evaluate(() => document.fullscreenElement !== null));
    const [stage, screen] = await page.evaluate(() => [
      document.fullscreenElement.getBoundingClientRect().width,
      window.innerWidth,
    ]);
    assert.equal(stage, screen);
    await page.keyboard.press("f");
  });
});

/** Returns the contrast of two colours as WCAG 2.2 defines it. */
function contrast(...colors) {
  const [low, high] = colors.map(luminance).sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function luminance(color) {
  const [r, g, b] = color.match(/\d+/g).map((it) => {
    const part = Number(it) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
