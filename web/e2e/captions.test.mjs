// Captions by a person's hand: a file goes in through the page, is read off the picture at its times and
// in the transcript, is corrected there, and reaches ffmpeg through the playlists.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { succeed } from "./command.mjs";
import { startServer, upload } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

// The second cue crosses the border of the first segment at 6 s.
const FILE = `WEBVTT

00:01.000 --> 00:02.500
Hello <i>there</i>

00:05.000 --> 00:07.000
<script>alert(1)</script> a --&gt; b & c
`;
const LINES = ["Hello there", "<script>alert(1)</script> a --> b & c"];

describe("captions that a person adds", { concurrency: false }, () => {
  let folder;
  let server;
  let browser;
  let visit;
  let video;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "clipcut-captions-"));
    server = await startServer();
    video = await upload(server, await clip("stereo-1080p25.mp4"));
    browser = await launch();
    visit = await newPage(browser);
    await visit.page.goto(`${server.url}/watch/${video.id}`);
    await viewer.opened(visit.page);
    await visit.page.evaluate(() => window.seen.video.pause());
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const dialog = () => visit.page.getByRole("dialog", { name: "Captions" });
  const transcript = () => visit.page.getByRole("region", { name: "Transcript" });

  /** Goes to a time and waits until exactly these words are on the picture. */
  async function assertShown(seconds, words) {
    await visit.page.evaluate((at) => {
      window.seen.video.currentTime = at;
    }, seconds);
    let shown;
    // The element brings its cues up to date a moment after it has arrived.
    await until(
      () => `${JSON.stringify(words)} at ${seconds} s; there is ${JSON.stringify(shown)}`,
      async () => {
        shown = await visit.page.evaluate((at) => {
          const { video } = window.seen;
          if (video.seeking || Math.abs(video.currentTime - at) > 0.01) return null;
          const showing = [...video.textTracks].filter((it) => it.mode === "showing");
          const cues = showing.flatMap((it) => [...(it.activeCues ?? [])]);
          return cues.map((it) => it.getCueAsHTML().textContent);
        }, seconds);
        return JSON.stringify(shown) === JSON.stringify(words);
      },
      { seconds: 10 },
    );
  }

  async function addFile(name, text, language) {
    const path = join(folder, name);
    await writeFile(path, text);
    await dialog().getByRole("button", { name: "Add a file" }).click();
    const form = dialog().getByRole("form", { name: "Add a file" });
    await form.getByLabel("WebVTT or SubRip").setInputFiles(path);
    await form.getByLabel("Language").fill(language);
    await form.getByRole("button", { name: "Add" }).click();
    return form;
  }

  test("are refused with the line that is wrong", async () => {
    await transcript().getByRole("button", { name: "Manage captions" }).click();
    const form = await addFile("wrong.vtt", "WEBVTT\n\n00:02.000 --> 00:01.000\nx\n", "en");
    await form.getByRole("alert").getByText("line 3").waitFor();
    await form.getByRole("button", { name: "Cancel" }).click();
    visit.troubles.length = 0;
  });

  test("are listed once they are whole", async () => {
    await addFile("right.vtt", FILE, "en");
    const row = dialog().getByRole("listitem", { name: "English", exact: true });
    await row.getByText("Complete").waitFor();
    await row.getByText("Added by hand").waitFor();
    const files = await row.getByRole("link").evaluateAll((all) => all.map((it) => it.textContent));
    assert.deepEqual(files, ["vtt", "srt", "txt", "json"]);
    await visit.page.keyboard.press("Escape");
  });

  test("are on the picture at their times, words as words", async () => {
    const { page } = visit;
    // The playlist that the player holds is older than they are.
    await page.keyboard.press("c");
    await until("both cues", () =>
      page.evaluate(() => {
        const shown = [...window.seen.video.textTracks].find((it) => it.mode === "showing");
        return shown?.cues?.length === 2;
      }),
    );
    for (const [seconds, words] of [
      [0.5, []],
      [1.5, [LINES[0]]],
      [3, []],
      [5.5, [LINES[1]]],
      [6.5, [LINES[1]]],
      [7.5, []],
    ]) {
      await assertShown(seconds, words);
    }
    await page.keyboard.press("c");
    await assertShown(1.5, []);
    await viewer.choose(page, "Captions", "English");
    await assertShown(1.6, [LINES[0]]);
  });

  test("stand in the transcript, which follows and jumps", async () => {
    const { page } = visit;
    const lines = transcript().getByRole("listitem");
    const words = await lines.evaluateAll((all) =>
      all.map((it) => it.innerText.split("\n").at(-1)),
    );
    assert.deepEqual(words, LINES);
    await assertShown(5.5, [LINES[1]]);
    const current = transcript().locator("[aria-current=true]");
    await until("the current line", async () => (await current.innerText()).includes("alert(1)"));
    await lines.first().getByRole("button").first().click();
    await until("the jump", async () => Math.abs((await viewer.look(page)).time - 1) < 0.05);
  });

  test("are corrected by keyboard, on the picture too", async () => {
    const { page } = visit;
    const pencil = transcript().getByRole("button", { name: "Correct the cue at 0:01" });
    await pencil.focus();
    await page.keyboard.press("Enter");
    const form = transcript().getByRole("form", { name: "Correct the cue" });
    await form.getByLabel("Text").fill("Hello & <b>you</b>");
    await form.getByLabel("to", { exact: true }).fill("0:03.500");
    await form.getByLabel("Text").press("Control+Enter");
    await form.waitFor({ state: "detached" });
    await assertShown(3.2, ["Hello & <b>you</b>"]);
    const file = await (await fetch(`${server.url}/v/${video.id}/captions/en.srt`)).text();
    assert.match(file, /00:00:01,000 --> 00:00:03,500\r?\n/);
  });

  test("reach ffmpeg through the playlists", async () => {
    const master = await (await fetch(`${server.url}/v/${video.id}/master.m3u8`)).text();
    const line = master.split("\n").find((it) => it.includes("TYPE=SUBTITLES"));
    for (const part of ['LANGUAGE="en"', 'NAME="English"', "AUTOSELECT=YES", "DEFAULT=NO"]) {
      assert.ok(line.includes(part), line);
    }
    const media = new URL(/URI="([^"]+)"/.exec(line)[1], `${server.url}/v/${video.id}/`).href;
    const playlist = await (await fetch(media)).text();
    const segments = playlist.split("\n").filter((it) => it.endsWith(".vtt"));
    const texts = await Promise.all(
      segments.map(async (name) => (await fetch(new URL(name, media))).text()),
    );
    // The cue crosses six seconds, and stands in both segments; ffmpeg reads the rendition as one and shows it once.
    const shown = texts.map((it) => it.includes("alert(1)"));
    assert.deepEqual(shown, [false, false, true, true]);
    const { stdout } = await succeed("ffmpeg", ["-v", "error", "-i", media, "-f", "srt", "-"]);
    assert.equal(stdout.match(/alert\(1\)/g)?.length, 1);
    assert.match(stdout, /00:00:05,000 --> 00:00:07,000/);
    assert.doesNotMatch(stdout, /WEBVTT/);
    const manifest = await (await fetch(`${server.url}/v/${video.id}/manifest.mpd`)).text();
    assert.match(manifest, /mimeType="text\/vtt"/);
  });

  test("go when they are deleted", async () => {
    const { page } = visit;
    await transcript().getByRole("button", { name: "Manage captions" }).click();
    const row = dialog().getByRole("listitem", { name: "English", exact: true });
    await row.getByRole("button", { name: "Delete" }).click();
    await row.getByRole("alert").getByRole("button", { name: "Delete" }).click();
    await row.waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    await transcript().getByRole("listitem").first().waitFor({ state: "detached" });
    // Nor does the player offer them any more, though the playlist that it holds does.
    await page
      .getByRole("button", { name: "Captions", exact: true })
      .nth(1)
      .waitFor({ state: "detached" });
    await until("the playlist without them", async () => {
      const master = await (await fetch(`${server.url}/v/${video.id}/master.m3u8`)).text();
      return !master.includes("SUBTITLES");
    });
  });

  test("cause no trouble in the page", () => assert.deepEqual(visit.troubles, []));
});
