// The way of a person: each clip goes in through the page and is watched there, in Chromium through
// hls.js. The assertions read the media element's own properties.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  assertPlayedWhole,
  assertStartsAtZero,
  frameRate,
  near,
  plannedFrames,
} from "../assertions.mjs";
import { launch, newPage } from "../chromium.mjs";
import { clips } from "../clips.mjs";
import { assertRightPicture } from "../picture.mjs";
import { ready, startServer } from "../server.mjs";
import { until } from "../until.mjs";
import * as viewer from "../viewer.mjs";

// The first is played as people do; the others faster, to save the tests' time.
const AT_NORMAL_SPEED = "stereo-1080p25.mp4";
const DROPPED = "mono-360p30.mp4";

const all = await clips();

describe("a clip that is uploaded through the page", { concurrency: false }, () => {
  let server;
  let browser;
  before(async () => {
    server = await startServer();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    assert.equal(await server?.stop(), 0, "the server ends in peace");
  });

  for (const clip of all) {
    describe(clip.name, { concurrency: false }, () => {
      let visit;
      let document;
      let fps;
      before(async () => {
        visit = await newPage(browser);
      });
      after(() => visit.context.close());

      test("becomes ready and opens", async () => {
        const { page } = visit;
        await page.goto(server.url);
        const give = clip.name === DROPPED ? viewer.dropFile : viewer.chooseFile;
        await give(page, clip);
        const { link, id } = await viewer.uploadedRow(page, clip);
        document = await ready(server, id);
        fps = frameRate(document);
        await link.click();
        await viewer.opened(page);
      });

      test("plays to its end without a gap, every frame in its place", async () => {
        const { page } = visit;
        const rate = clip.name === AT_NORMAL_SPEED ? 1 : 2;
        const facts = await viewer.playToEnd(page, { rate });
        const planned = clip.picture && plannedFrames(clip, document);
        await assertPlayedWhole(page, facts, { clip, fps, planned });
      });

      test("starts with its first picture at 0", () => assertStartsAtZero(visit.page, clip));

      test("shows the picture of the time that is sought", async () => {
        const { page } = visit;
        const fraction = (it) => () => viewer.pressSeekBar(page, it);
        const { duration } = await viewer.look(page);
        const moves = [
          ["back to the middle", fraction(0.5), duration * 0.5],
          ["back near the start", fraction(0.12), duration * 0.12],
          ["forward near the end", fraction(0.97), duration * 0.97],
          ["to the start by a key", () => page.keyboard.press("0"), 0],
          ["forward by a key", () => page.keyboard.press("7"), duration * 0.7],
        ];
        for (const [name, move, wanted] of moves) {
          const facts = await viewer.seek(page, move);
          // The seek bar's knob has a width, so that a press is a few pixels off.
          near(facts.time, wanted, duration * 0.03, name);
          if (clip.picture === null) continue;
          const { mediaTime } = facts.frame;
          const shownFor = facts.time - mediaTime;
          assert.ok(
            shownFor > -0.001 && shownFor < 1 / fps + 0.011,
            `${name}: the picture of ${mediaTime} s at ${facts.time} s`,
          );
          await assertRightPicture(page, clip, fps, facts.frame);
        }
      });

      if (clip.picture)
        test("shows each quality that is picked", async () => {
          const { page } = visit;
          const renditions = document.renditions.filter((it) => it.kind === "video");
          const names = await viewer.choices(page, "Quality");
          assert.deepEqual(names, ["Auto", ...renditions.map((it) => it.name)]);
          await page.evaluate(() => {
            window.seen.video.playbackRate = 1;
          });
          // From the best downwards and back up, so that each is a change.
          for (const { name, width, height } of [...renditions, renditions[0]]) {
            // From the start each time: short clips would else be over before the last choice.
            await viewer.seek(page, () => page.keyboard.press("0"));
            await page.evaluate(() => window.seen.video.play());
            await viewer.choose(page, "Quality", name);
            let facts;
            await until(
              () => `${name} to show; on the screen is ${facts.width}x${facts.height}`,
              async () => {
                facts = await viewer.look(page);
                return facts.width === width && facts.height === height;
              },
              { seconds: 20 },
            );
          }
        });

      if (clip.picture)
        test("shows a quality that is picked while paused", async () => {
          const { page } = visit;
          const renditions = document.renditions.filter((it) => it.kind === "video");
          for (const key of ["9", "1"]) {
            const { time } = await viewer.seek(page, () => page.keyboard.press(key));
            for (const { name, width } of [renditions.at(-1), renditions[0]]) {
              await viewer.choose(page, "Quality", name);
              let shown;
              await until(
                () =>
                  `${name} at ${time} s on the paused screen; there is ${JSON.stringify(shown)}`,
                async () => {
                  shown = (await viewer.frames(page)).at(-1);
                  return shown.width === width;
                },
              );
              const facts = await viewer.look(page);
              assert.deepEqual([facts.paused, facts.time], [true, time]);
            }
          }
        });

      if (clip.sounds > 1)
        test("has its languages", async () => {
          const { page, requests } = visit;
          const sounds = document.renditions.filter((it) => it.kind === "audio");
          const names = await viewer.choices(page, "Audio track");
          assert.equal(names.length, clip.sounds);
          assert.deepEqual(
            names,
            sounds.map((it) => it.label),
          );
          await viewer.seek(page, () => page.keyboard.press("0"));
          const asked = requests.length;
          const before = await viewer.look(page);
          await viewer.choose(page, "Audio track", names[1]);
          const folder = `/${sounds[1].name}/`;
          await until(`a segment of ${folder}`, () =>
            requests.slice(asked).some((it) => it.includes(folder) && it.endsWith(".m4s")),
          );
          await viewer.playToEnd(page, { rate: 2 });
          assert.ok((await viewer.look(page)).soundBytes > before.soundBytes, "it was decoded");
        });

      if (clip.texts > 0)
        test("has its subtitles", async () => {
          const { page } = visit;
          const [off, ...names] = await viewer.choices(page, "Captions");
          assert.equal(off, "Off");
          assert.equal(names.length, clip.texts);
          await viewer.seek(page, () => page.keyboard.press("0"));
          await viewer.choose(page, "Captions", names[0]);
          const cues = await until("cues", () =>
            page.evaluate(() => {
              const [track] = [...window.seen.video.textTracks].filter(
                (it) => it.mode === "showing",
              );
              const list = [...(track?.cues ?? [])];
              return list.length > 1 && list.map((it) => [it.startTime, it.endTime, it.text]);
            }),
          );
          assert.deepEqual(cues, [
            [0.5, 3, "First words"],
            [4, 7.5, "Last words"],
          ]);
        });

      test("causes no trouble in the page", () => assert.deepEqual(visit.troubles, []));
    });
  }
});
