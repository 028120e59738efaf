// The page in colours that a person forces on it, as Windows' contrast themes do: every icon and every bar stays seen.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { contrast } from "./contrast.mjs";
import { startServer, upload } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

// WCAG 2.2 §1.4.11: parts of controls and graphics.
const LEAST_CONTRAST = 3;

describe("in forced colours", { concurrency: false }, () => {
  let server;
  let browser;
  let video;
  before(async () => {
    server = await startServer();
    video = await upload(server, await clip("mono-360p30.mp4"));
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  for (const colorScheme of ["light", "dark"]) {
    test(`the player's icons stand on a ground of the theme (${colorScheme})`, async () => {
      const { page, context } = await newPage(browser, { colorScheme, forcedColors: "active" });
      await page.goto(`${server.url}/watch/${video.id}`);
      await viewer.opened(page);
      await page.evaluate(() => window.seen.video.pause());
      const player = page.getByRole("region", { name: "Video player" });
      const icons = player.locator("button:visible svg");
      const seen = await icons.evaluateAll(coloursOf);
      assert.ok(seen.length >= 6, `${seen.length} icons`);
      for (const { name, ink, ground } of seen) {
        assert.ok(contrast(ink, ground) >= LEAST_CONTRAST, `${name}: ${ink} on ${ground}`);
      }
      await context.close();
    });

    test(`a button under the pointer is readable (${colorScheme})`, async () => {
      const { page, context } = await newPage(browser, { colorScheme, forcedColors: "active" });
      await page.goto(`${server.url}/watch/${video.id}`);
      await viewer.opened(page);
      for (const name of ["Upload", "Edit", "Delete", "Search"]) {
        const button = page.getByRole("button", { name, exact: true });
        await button.hover();
        const [ink, ground] = await button.evaluate((it) => {
          const { color, backgroundColor } = getComputedStyle(it);
          return [color, backgroundColor];
        });
        assert.ok(contrast(ink, ground) >= 4.5, `${name}: ${ink} on ${ground}`);
      }
      await context.close();
    });

    test(`what was played and sent is seen on its bar (${colorScheme})`, async () => {
      const { page, context } = await newPage(browser, { colorScheme, forcedColors: "active" });
      await page.goto(`${server.url}/watch/${video.id}`);
      await viewer.opened(page);
      await viewer.seek(page, () => page.keyboard.press("5"));
      const seek = page.getByRole("slider", { name: "Seek" });
      const [played, stage] = await seek.evaluate((it) => {
        const fill = it.parentElement.querySelector("[class*=played]");
        const stage = it.closest("[class*=controls]");
        return [fill, stage].map((el) => getComputedStyle(el).backgroundColor);
      });
      assert.ok(contrast(played, stage) >= LEAST_CONTRAST, `${played} on ${stage}`);

      await page.goto(server.url);
      await viewer.chooseFile(page, await clip("mono-360p30.mp4"));
      const bar = page.getByRole("progressbar", { name: "Upload of mono-360p30.mp4" });
      await until("the bar", () => bar.count());
      const [fill, ground] = await bar.evaluate((it) => [
        getComputedStyle(it.firstElementChild).backgroundColor,
        getComputedStyle(it).backgroundColor,
      ]);
      assert.ok(contrast(fill, ground) >= LEAST_CONTRAST, `${fill} on ${ground}`);
      await context.close();
    });
  }
});

/** Runs in the page: the colour of each icon and of the nearest ground behind it that is not see-through. */
function coloursOf(icons) {
  return icons.map((icon) => {
    const ink = getComputedStyle(icon).color;
    let ground = icon;
    const isClear = (it) => {
      const alpha = /[,/] *([\d.]+)\)$/.exec(it);
      return it.startsWith("rgba") && Number(alpha?.[1] ?? 1) < 1;
    };
    while (ground !== null && isClear(getComputedStyle(ground).backgroundColor)) {
      ground = ground.parentElement;
      // The picture: any colour may be there, so that nothing is sure to be seen.
      if (ground?.matches("section"))
        return { name: icon.closest("button").ariaLabel, ink, ground: ink };
    }
    return {
      name: icon.closest("button").ariaLabel,
      ink,
      ground: getComputedStyle(ground).backgroundColor,
    };
  });
}
