// The page in a hand: a small screen and fingers.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { startServer, upload } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

const PHONE = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true };

// Google's limit of a good page, https://web.dev/articles/cls.
const MOST_SHIFT = 0.1;

describe("the watch page on a phone", { concurrency: false }, () => {
  let server;
  let browser;
  let visit;
  before(async () => {
    server = await startServer();
    const video = await upload(server, await clip("two-languages-360p24.mkv"));
    browser = await launch();
    visit = await newPage(browser, PHONE);
    await visit.page.addInitScript(() => {
      window.shifts = [];
      new PerformanceObserver((list) => {
        for (const it of list.getEntries()) window.shifts.push(it.value);
      }).observe({ type: "layout-shift", buffered: true });
    });
    await visit.page.goto(`${server.url}/watch/${video.id}`);
    await viewer.opened(visit.page);
    await visit.page.evaluate(() => window.seen.video.pause());
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const transcript = () => visit.page.getByRole("region", { name: "Transcript" });

  test("stands still while it loads", async () => {
    await transcript().getByText("Last words").waitFor();
    const shift = await visit.page.evaluate(() => window.shifts.reduce((sum, it) => sum + it, 0));
    assert.ok(shift < MOST_SHIFT, `a shift of ${shift}`);
  });

  for (const menu of ["Speed", "Quality", "Captions", "Audio track"]) {
    test(`has every entry of ${menu} on top, wherever the page is scrolled to`, async () => {
      const { page } = visit;
      for (const scroll of [0, 120]) {
        await page.evaluate((to) => window.scrollTo(0, to), scroll);
        await page.evaluate(awaitMenu);
        await page.getByRole("button", { name: menu, exact: true }).tap();
        const { entries, covered } = await page.evaluate(() => window.opened);
        assert.ok(entries >= 2, `${entries} entries`);
        assert.deepEqual(covered, []);
        await viewer.closeMenu(page, menu);
      }
    });
  }

  test("has a menu on top that is opened without a pointer while another one is open", async () => {
    const { page } = visit;
    await page.evaluate(() => window.scrollTo(0, 0));
    await page.getByRole("button", { name: "Quality", exact: true }).tap();
    await page.getByRole("menu", { name: "Quality" }).waitFor();
    await page.evaluate(awaitMenu);
    // As a screen reader presses it: a click, with no pointer before it.
    await page.getByRole("button", { name: "Captions", exact: true }).dispatchEvent("click");
    const { covered } = await page.evaluate(() => window.opened);
    assert.deepEqual(covered, []);
    assert.equal(await page.getByRole("menu").count(), 1);
    const stage = page.getByRole("region", { name: "Video player" });
    assert.equal(await stage.getAttribute("data-menu"), "true");
    await viewer.closeMenu(page, "Captions");
  });

  test("changes the speed by a tap, and nothing else", async () => {
    const { page } = visit;
    await page.evaluate(() => window.scrollTo(0, 0));
    const before = await viewer.look(page);
    await page.getByRole("button", { name: "Speed", exact: true }).tap();
    await page.getByRole("menuitemradio", { name: "1.5×" }).tap();
    const rate = await page.evaluate(() => window.seen.video.playbackRate);
    assert.equal(rate, 1.5);
    assert.equal((await viewer.look(page)).time, before.time);
  });

  /** Taps a place across the picture, 0 to 1, `count` times as quickly as a thumb. */
  async function taps(x, count) {
    const { page } = visit;
    const stage = await page.getByRole("region", { name: "Video player" }).boundingBox();
    // Above the middle, where the large Play button is.
    const [left, top] = [stage.x + stage.width * x, stage.y + stage.height * 0.2];
    for (let i = 0; i < count; i += 1) await page.touchscreen.tap(left, top);
  }

  test("skips ten seconds by two taps, and stays as large", async () => {
    const { page } = visit;
    const at = (seconds) =>
      until(
        `playback at ${seconds} s`,
        async () => Math.abs((await viewer.look(page)).time - seconds) < 0.3,
      );
    await viewer.seek(page, () => page.keyboard.press("0"));
    await taps(0.9, 2);
    await at(10);
    await taps(0.1, 2);
    await at(0);
    assert.equal(await page.evaluate(() => document.fullscreenElement), null);
  });

  test("causes no trouble in the page", () => assert.deepEqual(visit.troubles, []));
});

/**
 * Runs in the page: `window.opened` resolves, as soon as a menu is in it and before that is drawn, to the number of its
 * entries and the names of those that something else covers.
 */
function awaitMenu() {
  const isCovered = (it) => {
    const box = it.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    return !it.contains(document.elementFromPoint(x, y));
  };
  window.opened = new Promise((resolve) => {
    new MutationObserver((records, observer) => {
      const added = records.flatMap((it) => [...it.addedNodes]);
      const menu = added.find((it) => it instanceof Element && it.matches("[role=menu]"));
      if (menu === undefined) return;
      observer.disconnect();
      const entries = [...menu.querySelectorAll("[role=menuitemradio]")];
      const covered = entries.filter(isCovered).map((it) => it.ariaLabel);
      resolve({ entries: entries.length, covered });
    }).observe(document.body, { childList: true, subtree: true });
  });
}
