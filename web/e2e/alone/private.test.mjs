// A private video in the page: it plays to its end while its ticket expires again and again. And by a link that shares it, in players
// that know nothing of tickets.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "../chromium.mjs";
import { clip } from "../clips.mjs";
import { run } from "../command.mjs";
import { startServer } from "../server.mjs";
import { until } from "../until.mjs";
import * as viewer from "../viewer.mjs";
import * as vlc from "../vlc.mjs";

const ADA = { name: "Ada", email: "ada@example.org", password: "correct horse battery" };

describe("a private video", { concurrency: false }, () => {
  let server;
  let browser;
  before(async () => {
    const settings = { CLIPCUT_ACCOUNTS: "on", CLIPCUT_TICKET_LIFETIME: "6s" };
    server = await startServer(settings);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test("plays to its end although no ticket lasts as long", async () => {
    const { page, context, troubles, requests } = await newPage(browser);
    const call = async (method, path, options) => {
      const answer = await context.request.fetch(`${server.url}/api/v1/${path}`, {
        method,
        ...options,
      });
      assert.ok(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`);
      return answer.json();
    };
    // The context keeps the cookie, for the page as well.
    await call("POST", "users", { data: ADA });
    const { path } = await clip("long-360p25.mp4");
    const headers = { "content-type": "application/octet-stream" };
    const { id } = await call("POST", "videos", { data: await readFile(path), headers });
    await call("PATCH", `videos/${id}`, { data: { visibility: "private" } });
    await until("the video", async () => (await call("GET", `videos/${id}`)).state === "ready", {
      seconds: 120,
      every: 200,
    });
    await page.goto(`${server.url}/watch/${id}`);
    await viewer.opened(page);
    const end = await viewer.playToEnd(page, { rate: 4, seconds: 120 });
    assert.ok(end.duration > 89, `${end.duration}`);
    const tickets = requests.map((it) => /\/t\/([\w-]+)\/v\/.*\.m4s/.exec(it)?.[1]);
    const used = new Set(tickets.filter((it) => it !== undefined));
    // One at the start, and two that came after it had expired.
    assert.ok(used.size >= 3, `${used.size} tickets`);
    assert.deepEqual(troubles, []);
    await context.close();
  });

  test("plays in VLC and ffplay by the address that a link shows, until it is ended", async () => {
    const owner = await newPage(browser);
    const call = async (method, path, options) => {
      const url = `${server.url}/api/v1/${path}`;
      const answer = await owner.context.request.fetch(url, { method, ...options });
      assert.ok(answer.ok(), `${path}: ${answer.status()} ${await answer.text()}`);
      return answer.status() === 204 ? null : answer.json();
    };
    await call("POST", "session", { data: { email: ADA.email, password: ADA.password } });
    const { path } = await clip("mono-360p30.mp4");
    const headers = { "content-type": "application/octet-stream" };
    const { id } = await call("POST", "videos", { data: await readFile(path), headers });
    await call("PATCH", `videos/${id}`, { data: { visibility: "private" } });
    const planned = await until("the video", async () => {
      const document = await call("GET", `videos/${id}`);
      return document.state === "ready" && document;
    });
    const share = await call("POST", `videos/${id}/shares`, { data: {} });
    const link = `${server.url}/api/v1/videos/${id}?${new URL(share.link, server.url).searchParams}`;
    const shared = async () => server.url + (await (await fetch(link)).json()).playback.hls;
    const { code, errors, decoded } = await vlc.play(await shared());
    assert.deepEqual([code, errors], [0, []]);
    const seconds = planned.duration_seconds;
    assert.ok(decoded >= Math.floor(seconds * 30), `${decoded} frames of ${seconds} s`);
    const silent = { ...process.env, SDL_VIDEODRIVER: "dummy", SDL_AUDIODRIVER: "dummy" };
    const args = ["-hide_banner", "-loglevel", "warning", "-autoexit", await shared()];
    const played = await run("ffplay", args, { env: silent });
    assert.equal(played.code, 0, played.stderr);
    const address = await shared();
    await call("DELETE", `videos/${id}/shares/${share.id}`);
    await until("the end", async () => (await fetch(address)).status === 403);
    assert.equal((await fetch(link)).status, 404);
    await owner.context.close();
  });
});
