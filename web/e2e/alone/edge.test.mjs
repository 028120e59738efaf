// Players in front of an edge: what one has watched, the next one gets from the edge's memory.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { assertPlayedWhole, frameRate, plannedFrames } from "../assertions.mjs";
import { launch, newPage } from "../chromium.mjs";
import { clips } from "../clips.mjs";
import { run } from "../command.mjs";
import { decode } from "../ffmpeg.mjs";
import { startEdge, startServer, upload } from "../server.mjs";
import * as viewer from "../viewer.mjs";
import * as vlc from "../vlc.mjs";

// Complaints of a machine without a screen.
const NO_DESKTOP = /hardware accelerated renderer/;

const clip = (await clips()).find((it) => it.name === "mono-360p30.mp4");

describe("through an edge", { concurrency: false }, () => {
  let server;
  let edge;
  let browser;
  let document;
  before(async () => {
    server = await startServer();
    edge = await startEdge(server);
    document = await upload(server, clip);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    assert.equal(await edge?.stop(), 0, "the edge ends in peace");
    await server?.stop();
  });

  /** Watches to the end in a browser without a memory of its own; resolves to what the edge did. */
  async function watch() {
    const visit = await newPage(browser);
    const did = new Map();
    visit.page.on("response", (it) => {
      const path = new URL(it.url()).pathname;
      if (path.endsWith(".m4s")) did.set(path, it.headers()["cache-status"]);
    });
    await visit.page.goto(`${edge.url}/watch/${document.id}`);
    await viewer.opened(visit.page);
    const facts = await viewer.playToEnd(visit.page, { rate: 2 });
    const expected = { clip, fps: frameRate(document), planned: plannedFrames(clip, document) };
    await assertPlayedWhole(visit.page, facts, expected);
    assert.deepEqual(visit.troubles, []);
    await visit.context.close();
    return did;
  }

  test("hls.js plays in Chromium, and the second viewer from memory", async () => {
    const first = await watch();
    assert.ok(first.size > 0, "segments came through the edge");
    const second = await watch();
    for (const [path, did] of second) {
      if (first.has(path)) assert.match(did, /^clipcut-edge; hit; ttl=\d+$/, path);
    }
    assert.ok([...second.keys()].some((path) => first.has(path)));
  });

  test("ffplay plays to its end, from memory", async () => {
    const before = await requests();
    const env = { ...process.env, SDL_VIDEODRIVER: "dummy", SDL_AUDIODRIVER: "dummy" };
    const args = ["-v", "warning", "-nostats", "-autoexit", edge.url + document.playback.hls];
    const { code, stderr } = await run("ffplay", args, { env });
    const complaints = stderr.split("\n").filter((it) => it !== "" && !NO_DESKTOP.test(it));
    assert.deepEqual([code, complaints], [0, []]);
    const now = await requests();
    assert.ok(now.hit > before.hit, "segments came from memory");
  });

  /** Resolves to the edge's own count of requests by their outcome. */
  async function requests() {
    const metrics = await (await fetch(`${edge.admin()}/metrics`)).text();
    const counts = metrics.matchAll(/^clipcut_edge_requests_total\{outcome="(\w+)"\} (\d+)$/gm);
    return Object.fromEntries([...counts].map(([, outcome, count]) => [outcome, Number(count)]));
  }

  test("ffmpeg reads every frame", async () => {
    const { code, pictures } = await decode(edge.url + document.playback.hls, ["0:v:0"]);
    assert.deepEqual([code, pictures[0].length], [0, plannedFrames(clip, document)]);
  });

  test("VLC plays to its end", async () => {
    const { code, errors, decoded } = await vlc.play(edge.url + document.playback.hls);
    assert.deepEqual([code, errors], [0, []]);
    assert.ok(decoded > 0, "pictures were decoded");
  });
});
