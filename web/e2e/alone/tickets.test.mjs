// A server whose videos play with a ticket only: the page has one, and so have its addresses for other players.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { assertPlayedWhole, frameRate, plannedFrames } from "../assertions.mjs";
import { launch, newPage } from "../chromium.mjs";
import { clips } from "../clips.mjs";
import { decode } from "../ffmpeg.mjs";
import { startServer, upload } from "../server.mjs";
import * as viewer from "../viewer.mjs";

const KEY = "1 MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n";

const clip = (await clips()).find((it) => it.name === "mono-360p30.mp4");

describe("where playing needs a ticket", { concurrency: false }, () => {
  let home;
  let server;
  let browser;
  let document;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), "clipcut-e2e-"));
    await writeFile(join(home, "keys"), KEY);
    server = await startServer({
      CLIPCUT_TICKET_KEYS: join(home, "keys"),
      CLIPCUT_TICKETS: "required",
    });
    document = await upload(server, clip);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await rm(home, { recursive: true, force: true });
  });

  test("the page plays, with its poster", async () => {
    const visit = await newPage(browser);
    const paths = [];
    visit.page.on("request", (it) => paths.push(new URL(it.url()).pathname));
    await visit.page.goto(`${server.url}/watch/${document.id}`);
    await viewer.opened(visit.page);
    const facts = await viewer.playToEnd(visit.page, { rate: 2 });
    const expected = { clip, fps: frameRate(document), planned: plannedFrames(clip, document) };
    await assertPlayedWhole(visit.page, facts, expected);
    assert.deepEqual(visit.troubles, []);
    const media = paths.filter((it) => it.includes(`/v/${document.id}/`));
    assert.ok(media.some((it) => it.endsWith(".m4s")) && media.some((it) => it.endsWith(".jpg")));
    for (const path of media) assert.match(path, /^\/t\/[\w-]+\/v\//);
    await visit.context.close();
  });

  test("another player plays by the address that the page shows", async () => {
    const { code, pictures } = await decode(server.url + document.playback.hls, ["0:v:0"]);
    assert.deepEqual([code, pictures[0].length], [0, plannedFrames(clip, document)]);
  });

  test("nothing plays without one", async () => {
    for (const file of ["master.m3u8", "manifest.mpd", "poster.jpg"]) {
      const response = await fetch(`${server.url}/v/${document.id}/${file}`);
      assert.equal(response.status, 403, file);
      assert.equal((await response.json()).code, "ticket_bad_signature");
    }
  });
});
