// The whole way of spoken words: speech under a moving picture goes in, a machine writes it down, hls.js shows it
// at its times, and the playlists carry it to ffmpeg. The model is the demo, which knows some 300 words.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch, newPage } from "../chromium.mjs";
import { clip } from "../clips.mjs";
import { succeed } from "../command.mjs";
import { numbered } from "../frame-number.mjs";
import { startServer, upload } from "../server.mjs";
import { ALL_PLAYERS, serveFolder } from "../static.mjs";
import { until } from "../until.mjs";
import * as viewer from "../viewer.mjs";
import * as vlc from "../vlc.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const SETTINGS = {
  CLIPCUT_MODEL: here("../../../transcriber/demo"),
  CLIPCUT_ONNXRUNTIME: here("../../../target/onnxruntime"),
};

// When each begins; the third crosses the border of a segment at 12 s.
const SPOKEN = [
  [1, "Hello and welcome to this lesson."],
  [6.5, "There is a big clock behind the station."],
  [11.2, "We will open the window in the kitchen."],
  [17, "The teacher painted seven green bottles in the garden."],
];
const SECONDS = 22;
// The model mishears some of the words that it knows; one in three would be another sentence.
const LEAST_RIGHT = 0.67;

describe("speech under a moving picture", { concurrency: false }, () => {
  let folder;
  let server;
  let site;
  let browser;
  let visit;
  let video;
  let track;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "clipcut-speech-"));
    server = await startServer(SETTINGS);
    video = await upload(server, { name: "Lesson", path: await speak(folder) });
    site = await serveFolder(".");
    browser = await launch();
    visit = await newPage(browser);
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
    await server?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  test("is written down by a machine, which gives its name", async () => {
    let last;
    track = await until(
      () => `the captions; they are ${JSON.stringify(last)}\n${server.log()}`,
      async () => {
        const document = await (await fetch(`${server.url}/api/v1/videos/${video.id}`)).json();
        last = document.captions.find((it) => it.origin === "machine");
        return last?.state === "done" && last;
      },
      { seconds: 120, every: 200 },
    );
    assert.deepEqual([track.name, track.language, track.listed], ["en", "en", true]);
    assert.match(track.machine.model_sha256, /^[0-9a-f]{64}$/);
    const written = await (await fetch(server.url + track.files.json)).json();
    assert.equal(written.provenance.by, "machine");
    assert.ok(written.segments.length > 0, "the transcript is there too");
  });

  test("is read off the picture at its times", async () => {
    const { page } = visit;
    await page.goto(`${server.url}/watch/${video.id}`);
    await viewer.opened(page);
    await page.evaluate(() => window.seen.video.pause());
    await viewer.choose(page, "Captions", "English (automatic)");
    await assertShown(page);
    const lines = page.getByRole("region", { name: "Transcript" }).getByRole("listitem");
    assert.ok((await lines.count()) >= SPOKEN.length);
    assert.deepEqual(visit.troubles, []);
  });

  for (const player of ALL_PLAYERS) {
    test(`is read off the picture in ${player} on a page of another origin`, async () => {
      const list = player === "hls.js" ? "master.m3u8" : "manifest.mpd";
      await until(`the captions in ${list}`, async () => {
        const text = await (await fetch(`${server.url}/v/${video.id}/${list}`)).text();
        return text.includes("captions/en");
      });
      const { page, context, troubles } = await newPage(browser);
      await page.goto(site.page(player, `${server.url}/v/${video.id}/${list}`));
      await viewer.opened(page);
      // dash.js warns of a pause before its play began.
      await until("it to play", async () => (await viewer.look(page)).time > 0);
      await page.evaluate(() => {
        window.seen.video.pause();
        window.showCaptions();
      });
      await assertShown(page);
      assert.deepEqual(await page.evaluate(() => window.errors), []);
      assert.deepEqual(troubles, []);
      await context.close();
    });
  }

  test("is decoded by VLC, which finds it in master.m3u8", async () => {
    const url = `${server.url}/v/${video.id}/master.m3u8`;
    const { code, errors, log } = await vlc.play(url, { options: ["--sub-track", "0"] });
    assert.deepEqual([code, errors], [0, []]);
    assert.match(log, /using demux module "webvtt"/);
    assert.match(log, /using spu decoder module "webvtt"/);
  });

  test("is read from master.m3u8 by an ffmpeg of today", async () => {
    const url = `${server.url}/v/${video.id}/master.m3u8`;
    const ffmpeg = here("../../../target/ffmpeg-of-today");
    const { stdout } = await succeed(ffmpeg, [
      "-v",
      "error",
      "-i",
      url,
      "-map",
      "0:s:0",
      "-f",
      "srt",
      "-",
    ]);
    const written = await (await fetch(server.url + track.files.srt)).text();
    // A cue that crosses a border stands in both segments, and ffmpeg prints it twice.
    assert.deepEqual([...new Set(cues(stdout))], cues(written));
  });

  test("shows no words where nobody speaks", async () => {
    const written = await (await fetch(server.url + track.files.json)).json();
    for (const { start, end, text } of written.cues) {
      const spoken = SPOKEN.some(([from]) => start > from - 0.5 && end < from + 5.5);
      assert.ok(spoken, `“${text}” from ${start} to ${end} s`);
    }
  });

  test("reaches ffmpeg by the rendition that master.m3u8 names", async () => {
    const base = `${server.url}/v/${video.id}/`;
    let line;
    await until("the playlist to list them", async () => {
      const master = await (await fetch(`${base}master.m3u8`)).text();
      line = master.split("\n").find((it) => it.includes("TYPE=SUBTITLES"));
      return line !== undefined;
    });
    assert.match(line, /CHARACTERISTICS="public\.machine-generated"/);
    assert.match(line, /LANGUAGE="en"/);
    const media = new URL(/URI="([^"]+)"/.exec(line)[1], base).href;
    const { stdout } = await succeed("ffmpeg", ["-v", "error", "-i", media, "-f", "srt", "-"]);
    const all = SPOKEN.map(([, sentence]) => sentence).join(" ");
    assert.ok(shareOfWords(all, stdout) >= LEAST_RIGHT, stdout);
  });

  test("leaves no empty panel beside a picture in which nobody speaks", async () => {
    const quiet = await upload(server, await clip("mono-360p30.mp4"));
    let last;
    await until(
      () => `captions without words; they are ${JSON.stringify(last)}`,
      async () => {
        const document = await (await fetch(`${server.url}/api/v1/videos/${quiet.id}`)).json();
        last = document.captions[0];
        return last?.state === "none";
      },
      { seconds: 120, every: 200 },
    );
    const { page } = visit;
    await page.goto(`${server.url}/watch/${quiet.id}`);
    await viewer.opened(page);
    const words = page.getByRole("region", { name: "Transcript" });
    await words.getByText("Nobody speaks in this video").waitFor();
    const [panel, stage] = [
      await words.boundingBox(),
      await page.getByRole("region", { name: "Video player" }).boundingBox(),
    ];
    // A line below the picture, which has the whole width.
    assert.ok(panel.y >= stage.y + stage.height, JSON.stringify([panel, stage]));
    assert.equal(panel.width, stage.width);
    assert.ok(panel.height < 120, JSON.stringify(panel));
  });
});

/** Seeks to each sentence and reads it off the active cues. */
async function assertShown(page) {
  for (const [start, sentence] of SPOKEN) {
    const seconds = start + 1;
    await page.evaluate((at) => {
      window.seen.video.currentTime = at;
    }, seconds);
    let shown;
    await until(
      () => `“${sentence}” at ${seconds} s; there is ${JSON.stringify(shown)}`,
      async () => {
        shown = await page.evaluate(() => {
          const tracks = [...window.seen.video.textTracks].filter((it) => it.mode === "showing");
          const cues = tracks.flatMap((it) => [...(it.activeCues ?? [])]);
          return cues.map((it) => it.getCueAsHTML().textContent).join(" ");
        });
        return shareOfWords(sentence, shown) >= LEAST_RIGHT;
      },
      { seconds: 15 },
    );
  }
}

/** Speaks the sentences under a moving picture, and resolves to the clip's path. */
async function speak(folder) {
  const voices = [];
  for (const [at, [, sentence]] of SPOKEN.entries()) {
    const path = join(folder, `${at}.wav`);
    await succeed("espeak-ng", ["-v", "en-us", "-s", "150", "-w", path, sentence]);
    voices.push(path);
  }
  const delayed = SPOKEN.map(([start], at) => `[${at + 1}:a]adelay=${start * 1000}:all=1[a${at}]`);
  const names = SPOKEN.map((_, at) => `[a${at}]`).join("");
  const mixed = `${names}amix=inputs=${SPOKEN.length}:normalize=0,apad,aresample=48000[sound]`;
  const path = join(folder, "lesson.mp4");
  await succeed("ffmpeg", [
    ...["-v", "error", "-f", "lavfi", "-i", numbered("testsrc2=size=640x360:rate=25")],
    ...voices.flatMap((it) => ["-i", it]),
    ...["-filter_complex", [...delayed, mixed].join(";"), "-map", "0:v", "-map", "[sound]"],
    ...["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"],
    ...["-t", String(SECONDS), path],
  ]);
  return path;
}

/** Returns the share of the sentence's words in the transcript, 0 to 1. */
function shareOfWords(sentence, transcript) {
  const words = (text) => text.toLowerCase().match(/[a-z]+/g) ?? [];
  const given = words(transcript);
  const spoken = words(sentence);
  return spoken.filter((it) => given.includes(it)).length / spoken.length;
}

/** The cues of a SubRip file without their numbers. */
function cues(file) {
  const blocks = file.trim().split(/\r?\n\r?\n/);
  return blocks.map((block) => block.replace(/^\d+\r?\n/, ""));
}
