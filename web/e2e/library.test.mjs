// The library as a list to come back to, in every script, and in colours that a person chose.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { contrast } from "./contrast.mjs";
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
  let wide;
  let asFirst;
  before(async () => {
    server = await startServer();
    wide = await upload(server, await clip("surround-720p25.mp4"));
    video = await upload(server, await clip("mono-360p30.mp4"));
    browser = await launch();
    visit = await newPage(browser);
    await visit.page.goto(server.url);
    asFirst = await poster().first().getAttribute("loading");
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

  const cards = (page = visit.page) =>
    page.getByRole("list", { name: "Videos" }).getByRole("listitem");

  const poster = () => visit.page.getByRole("list", { name: "Videos" }).locator("img");

  test("is where it was after Back, with all that was loaded", async () => {
    const { page } = visit;
    await cards().first().waitFor();
    await page.getByRole("button", { name: "Load more" }).click();
    await until("all cards", async () => (await cards().count()) === UPLOADS + 2);
    const link = page.getByRole("link", { name: video.title });
    await link.scrollIntoViewIfNeeded();
    const place = await page.evaluate(() => window.scrollY);
    assert.ok(place > 300, `${place}`);
    await link.click();
    await page.getByRole("heading", { name: video.title }).waitFor();
    assert.equal(await page.evaluate(() => window.scrollY), 0);
    await page.goBack();
    await link.waitFor();
    await viewer.scrolledTo(page, place);
    assert.equal(await cards().count(), UPLOADS + 2);
  });

  test("sets each title in its own direction", async () => {
    const link = visit.page.getByRole("link", { name: ARABIC });
    assert.equal(await link.evaluate((it) => getComputedStyle(it).direction), "rtl");
  });

  test("loads the posters of its first row at once, and the others when they come into sight", async () => {
    const asLast = await poster().last().getAttribute("loading");
    assert.deepEqual([asFirst, asLast], ["eager", "lazy"]);
  });

  test("has each poster in the size of its card, and stands still while they come", async () => {
    const sizeOf = async (name) => {
      const { headers } = await fetch(`${server.url}/v/${wide.id}/${name}`);
      assert.equal(headers.get("content-type"), "image/jpeg");
      return visit.page.evaluate(async (url) => {
        const picture = await createImageBitmap(await (await fetch(url)).blob());
        return [picture.width, picture.height];
      }, `${server.url}/v/${wide.id}/${name}`);
    };
    assert.deepEqual(await sizeOf("poster-640.jpg"), [640, 360]);
    assert.deepEqual(await sizeOf("poster.jpg"), [1280, 720]);
    const cases = [
      [{ viewport: { width: 412, height: 823 }, deviceScaleFactor: 1.5 }, "poster-640.jpg"],
      // Lighthouse's phone: a picture of 672 pixels is not worth one of 1280.
      [{ viewport: { width: 412, height: 823 }, deviceScaleFactor: 1.75 }, "poster-640.jpg"],
      [{ viewport: { width: 1280, height: 800 }, deviceScaleFactor: 2 }, "poster-640.jpg"],
      [{ viewport: { width: 880, height: 800 }, deviceScaleFactor: 2 }, "poster.jpg"],
    ];
    for (const [options, name] of cases) {
      const { page, context, requests } = await newPage(browser, options);
      await page.addInitScript(() => {
        window.shifts = [];
        new PerformanceObserver((list) => window.shifts.push(...list.getEntries())).observe({
          type: "layout-shift",
          buffered: true,
        });
      });
      await page.goto(server.url);
      await page.getByRole("button", { name: "Load more" }).click();
      const picture = cards(page).filter({ hasText: wide.title }).locator("img");
      await picture.scrollIntoViewIfNeeded();
      await until("the poster", () => picture.evaluate((it) => it.complete && it.naturalWidth > 0));
      // On its way before the first render, and not again for it.
      assert.equal(requests.filter((it) => it.endsWith("/videos?limit=24")).length, 1);
      const asked = requests.filter((it) => it.includes(`${wide.id}/poster`));
      assert.deepEqual(asked, [`${server.url}/v/${wide.id}/${name}`]);
      // A shift right after a press is its effect, here of "Load more".
      const shifts = await page.evaluate(() =>
        window.shifts.filter((it) => !it.hadRecentInput).map((it) => it.value),
      );
      assert.deepEqual(shifts, []);
      await context.close();
    }
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

  test("is in the order that a person chooses, which stands in the address", async () => {
    const { page } = visit;
    await page.goto(server.url);
    const order = page.getByRole("combobox", { name: "Order" });
    const first = async () => cards().first().getByRole("link").first().getAttribute("href");
    await order.focus();
    await order.selectOption("longest");
    await until("the longest one first", async () => (await first()) === `/watch/${video.id}`);
    assert.equal(new URL(page.url()).search, "?sort=longest");
    assert.ok(await order.evaluate((it) => it === document.activeElement), "the focus stays");
    await page.reload();
    await until("the same order", async () => (await first()) === `/watch/${video.id}`);
    assert.equal(await order.inputValue(), "longest");
    await cards().first().getByRole("link").first().click();
    await page.getByRole("heading", { name: video.title }).waitFor();
    await page.goBack();
    await until("the order after Back", async () => (await first()) === `/watch/${video.id}`);
    // By keyboard: a letter chooses the entry that begins with it.
    await order.focus();
    await page.keyboard.press("o");
    await until("the oldest one first", async () => (await first()) === `/watch/${wide.id}`);
    assert.equal(new URL(page.url()).search, "?sort=oldest");
    await page.getByRole("button", { name: "Load more" }).click();
    await until("all cards", async () => (await cards().count()) === UPLOADS + 2);
    assert.match(await cards().last().innerText(), new RegExp(`Upload ${UPLOADS - 1}`));
    await order.selectOption("newest");
    await until("the newest one first", async () =>
      (await cards().first().innerText()).includes(`Upload ${UPLOADS - 1}`),
    );
    assert.equal(new URL(page.url()).search, "");
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
