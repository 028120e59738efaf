// Players seek into what is not encoded yet: each shows the right picture there, and no error.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { near } from "../assertions.mjs";
import { launch, newPage } from "../chromium.mjs";
import { clip } from "../clips.mjs";
import { run } from "../command.mjs";
import { DIGITS } from "../frame-number.mjs";
import { begin, startServer } from "../server.mjs";
import { serveFolder } from "../static.mjs";
import { until } from "../until.mjs";
import * as viewer from "../viewer.mjs";
import * as vlc from "../vlc.mjs";

const FPS = 25;
const CASES = [
  ["hls.js", "hls"],
  ["Shaka Player", "hls"],
  ["Shaka Player", "dash"],
  ["dash.js", "dash"],
];
// VLC and ffplay play this much.
const PLAYED_SECONDS = 4;

describe("a seek into what is not encoded", { concurrency: false }, () => {
  let server;
  let site;
  let browser;
  let source;
  before(async () => {
    // So slow that no encoder comes to the places by itself.
    server = await startServer({ CLIPCUT_LADDER: "360", CLIPCUT_PRESET: "medium" });
    site = await serveFolder(".");
    browser = await launch();
    source = await clip("film-360p25.mp4");
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
    await server?.stop();
  });

  /** Uploads the film, and deletes it once it was looked at: the next one has the encoders alone. */
  async function encoded(look) {
    const id = await begin(server, source);
    const document = async () => (await fetch(`${server.url}/api/v1/videos/${id}`)).json();
    const playable = async () => {
      const it = await document();
      return it.state === "playable" && it;
    };
    const { playback } = await until("it to play", playable, { seconds: 30 });
    /** Fails if a place is encoded, or nearly. */
    const assertMissing = async (seconds) => {
      const { renditions } = await document();
      const pictures = renditions.filter((it) => it.kind === "video");
      for (const [from, to] of pictures.flatMap((it) => it.published_seconds)) {
        const far = seconds + PLAYED_SECONDS < from || seconds > to;
        assert.ok(far, `${seconds} s is within ${from} to ${to}`);
      }
    };
    await look({ hls: server.url + playback.hls, dash: server.url + playback.dash, assertMissing });
    await fetch(`${server.url}/api/v1/videos/${id}`, { method: "DELETE" });
  }

  for (const [player, format] of CASES) {
    test(`shows the right picture in ${player} by ${format.toUpperCase()}`, async () => {
      await encoded(async ({ assertMissing, ...urls }) => {
        const { page, context, troubles } = await newPage(browser);
        await page.goto(site.page(player, urls[format]));
        await viewer.opened(page);
        // Back and forth, as a viewer looks for something.
        for (const seconds of [420, 300, 560.4]) {
          await assertMissing(seconds);
          const { frame } = await viewer.seek(page, () =>
            page.evaluate((to) => {
              window.seen.video.currentTime = to;
            }, seconds),
          );
          near(frame.mediaTime, seconds, 1 / FPS, "the picture's time");
          assert.equal(frame.number, Math.round(frame.mediaTime * FPS) % 2 ** DIGITS);
        }
        assert.deepEqual(await page.evaluate(() => window.errors), []);
        // Each answer of 503 is one that the player asks for again.
        assert.deepEqual(troubles, []);
        await context.close();
      });
    });
  }

  test("plays in VLC", async () => {
    await encoded(async ({ hls, assertMissing }) => {
      await assertMissing(300);
      const options = ["--start-time", "300", "--run-time", String(PLAYED_SECONDS)];
      const { code, errors, decoded, lost } = await vlc.play(hls, { options });
      assert.deepEqual([code, errors, lost], [0, [], 0]);
      assert.ok(decoded >= (PLAYED_SECONDS - 1) * FPS, `${decoded} frames`);
    });
  });

  test("plays in ffplay", async () => {
    await encoded(async ({ hls, assertMissing }) => {
      await assertMissing(300);
      const silent = { ...process.env, SDL_VIDEODRIVER: "dummy", SDL_AUDIODRIVER: "dummy" };
      const part = ["-ss", "300", "-t", String(PLAYED_SECONDS), "-autoexit"];
      const args = ["-hide_banner", "-loglevel", "warning", "-stats", ...part, hls];
      const { code, stderr } = await run("ffplay", args, { env: silent });
      assert.equal(code, 0, stderr);
      const clock = [...stderr.matchAll(/^ *(\d+\.\d+) A-V/gm)].map((it) => Number(it[1]));
      near(clock.at(-1), 300 + PLAYED_SECONDS, 0.5, "its clock at the end");
    });
  });
});
