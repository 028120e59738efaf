// A private video in the page: it plays to its end while its ticket expires again and again.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "../chromium.mjs";
import { clip } from "../clips.mjs";
import { startServer } from "../server.mjs";
import { until } from "../until.mjs";
import * as viewer from "../viewer.mjs";

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
});
