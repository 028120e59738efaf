// `clipcut package`: a folder that any web server can serve, checked file by file.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { assertPlayedWhole, assertStartsAtZero, near } from "../assertions.mjs";
import { startsWithIdr } from "../boxes.mjs";
import { launch, newPage } from "../chromium.mjs";
import { clips } from "../clips.mjs";
import { succeed } from "../command.mjs";
import { parse, playlists, readMedia, withTimes } from "../presentation.mjs";
import { average, peak } from "../rates.mjs";
import { CLIPCUT, DEFAULTS } from "../server.mjs";
import { serveFolder } from "../static.mjs";
import * as viewer from "../viewer.mjs";

const AAC_FRAME_SECONDS = 1024 / 48_000;

const all = await clips();

describe("clipcut package", { concurrency: false }, () => {
  let root;
  let site;
  let browser;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), "clipcut-package-"));
    site = await serveFolder(root);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
    await rm(root, { recursive: true, force: true });
  });

  for (const clip of all) {
    describe(clip.name, { concurrency: false }, () => {
      let folder;
      let master;
      let videos;
      let sounds;
      let iframes;
      before(async () => {
        folder = join(root, clip.name);
        await succeed(CLIPCUT, ["package", clip.path, "-o", folder], {
          seconds: 120,
          env: DEFAULTS,
        });
        master = await parse(folder, "master.m3u8");
        const read = async (uris) =>
          Promise.all(uris.map(async (it) => withTimes(await readMedia(folder, it))));
        const variants = master.variants.filter((it) => !it.isIFrameOnly);
        const audio = variants[0].audio.map((it) => it.uri);
        videos = clip.picture ? await read(variants.map((it) => it.uri)) : [];
        sounds = await read(audio);
        const keys = master.variants.filter((it) => it.isIFrameOnly).map((it) => it.uri);
        iframes = await read(keys);
      });

      test("has playlists that a strict parser accepts", async () => {
        const paths = await playlists(folder);
        assert.ok(paths.length > 1);
        for (const path of paths) {
          const playlist = await parse(folder, path);
          if (playlist.isMasterPlaylist) continue;
          assert.equal(playlist.playlistType, "VOD", path);
          assert.ok(playlist.endlist, `${path} has an end`);
          const seconds = playlist.segments.reduce((sum, it) => sum + it.duration, 0);
          near(seconds, clip.seconds, 0.1, `the length of ${path}`);
        }
      });

      if (clip.picture)
        test("starts each segment with an IDR picture", async () => {
          assert.ok(videos.length > 0);
          for (const { path, init, segments } of videos) {
            for (const { uri, data, parts } of segments) {
              assert.ok(startsWithIdr(parts[0].first.data), `${path}: ${uri}`);
              const file = join(root, "segment.mp4");
              await writeFile(file, Buffer.concat([init, data]));
              const { stdout, stderr } = await succeed("ffprobe", [
                ...[
                  "-v",
                  "warning",
                  "-show_entries",
                  "frame=key_frame,pict_type",
                  "-of",
                  "csv=p=0",
                ],
                ...["-read_intervals", "%+#1", file],
              ]);
              assert.equal(stderr, "", `${path}: ${uri} decodes by itself`);
              assert.match(stdout, /^1,I/, `${path}: ${uri}`);
            }
          }
        });

      if (clip.picture)
        test("lists the bytes of each key frame", () => {
          assert.equal(iframes.length, videos.length);
          for (const { path, segments } of iframes) {
            for (const { parts } of segments) {
              const [{ first }] = parts;
              assert.ok(startsWithIdr(first.data), path);
              assert.equal(first.data.length, first.size, `${path} has the frame whole`);
            }
          }
        });

      test("cuts pictures, sounds and renditions at the same moments", () => {
        const [guide] = videos.length > 0 ? videos : sounds;
        for (const { path, segments } of videos) {
          const frames = segments.reduce((sum, it) => sum + it.samples, 0);
          if (clip.numbered) assert.equal(frames, clip.picture.frames, path);
          assert.deepEqual(
            segments.map((it) => [it.start, it.lasts]),
            guide.segments.map((it) => [it.start, it.lasts]),
            path,
          );
        }
        for (const { path, segments } of sounds) {
          assert.equal(segments.length, guide.segments.length, path);
          for (const [at, { start }] of segments.entries()) {
            near(start, guide.segments[at].start, AAC_FRAME_SECONDS, `the start of ${path} ${at}`);
          }
        }
        for (const { path, segments } of [...videos, ...sounds]) {
          let start = 0;
          for (const it of segments) {
            near(it.start, start, 1e-6, `${path}: ${it.uri} starts where the last one ends`);
            near(it.seconds, it.lasts, 1e-5, `${path}: EXTINF of ${it.uri}`);
            start += it.lasts;
          }
        }
      });

      test("lists the bit rates that its files have", () => {
        const loudest = (rate) => Math.max(0, ...sounds.map(rate));
        const averageOf = (it) => average(it.segments);
        const peakOf = (it) => peak(it.segments, it.targetSeconds);
        for (const variant of master.variants) {
          const { uri, bandwidth, averageBandwidth, isIFrameOnly } = variant;
          const media = [...videos, ...iframes].find((it) => it.path === uri);
          const sound = isIFrameOnly ? () => 0 : loudest;
          const measured = {
            peak: (media ? peakOf(media) : 0) + sound(peakOf),
            average: (media ? averageOf(media) : 0) + sound(averageOf),
          };
          near(bandwidth / measured.peak, 1, 0.1, `BANDWIDTH of ${uri} over the measured`);
          near(averageBandwidth / measured.average, 1, 0.1, `AVERAGE-BANDWIDTH of ${uri}`);
        }
      });

      test("plays from a plain file server", async () => {
        const { page, context, troubles } = await newPage(browser);
        await page.goto(site.page("hls.js", `${site.url}/${clip.name}/master.m3u8`));
        await viewer.opened(page);
        const rate = 2;
        const facts = await viewer.playToEnd(page, { rate });
        const frames = videos[0]?.segments.reduce((sum, it) => sum + it.samples, 0);
        const seconds = videos[0]?.segments.reduce((sum, it) => sum + it.lasts, 0);
        const expected = { clip, fps: frames / seconds, planned: frames };
        await assertPlayedWhole(page, facts, expected);
        await assertStartsAtZero(page, clip);
        assert.deepEqual(await page.evaluate(() => window.errors), []);
        assert.deepEqual(troubles, []);
        await context.close();
      });
    });
  }
});
