// The MPD in players that know nothing of Clip Cut, on a page of another origin.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertPlayedWhole, assertStartsAtZero, frameRate, plannedFrames } from "../assertions.mjs";
import { launch, newPage } from "../chromium.mjs";
import { clips } from "../clips.mjs";
import { startServer, uploadAll } from "../server.mjs";
import { DASH_PLAYERS, serveFolder } from "../static.mjs";
import * as viewer from "../viewer.mjs";

const all = await clips();

describe("manifest.mpd", { concurrency: false }, () => {
  let server;
  let uploads;
  let site;
  let browser;
  before(async () => {
    server = await startServer();
    uploads = uploadAll(server, all);
    site = await serveFolder(".");
    browser = await launch();
    // Encoders beside it have a player change its quality, and decode some pictures twice.
    for (const clip of all) await uploads.get(clip);
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
    await server?.stop();
  });

  for (const clip of all) {
    describe(clip.name, { concurrency: true }, () => {
      let document;
      before(async () => {
        document = await uploads.get(clip);
      });

      for (const player of DASH_PLAYERS) {
        test(`plays to its end in ${player}`, async () => {
          const { page, context, troubles } = await newPage(browser);
          await page.goto(site.page(player, server.url + document.playback.dash));
          await viewer.opened(page);
          const rate = 2;
          const facts = await viewer.playToEnd(page, { rate });
          const fps = frameRate(document);
          const planned = clip.picture && plannedFrames(clip, document);
          await assertPlayedWhole(page, facts, { clip, fps, planned });
          await assertStartsAtZero(page, clip);
          assert.deepEqual(await page.evaluate(() => window.errors), []);
          assert.deepEqual(troubles, []);
          await context.close();
        });
      }
    });
  }
});
