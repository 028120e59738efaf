// The notes on a video's page: what its file has and the video has not.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { startServer, upload } from "./server.mjs";

const LEFT_OUT = "A sound track was left out: its format, tta, is not one that we read.";

describe("notes on a video", { concurrency: false }, () => {
  let server;
  let browser;
  before(async () => {
    server = await startServer();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test("stand below the player, one for each thing that was left out", async () => {
    const video = await upload(server, await clip("unread-sounds-180p25.mkv"));
    assert.deepEqual(video.notes, [LEFT_OUT, LEFT_OUT]);
    const { page, context, troubles } = await newPage(browser);
    await page.goto(`${server.url}/watch/${video.id}`);
    const notes = page.getByRole("region", { name: "About this file" }).getByRole("listitem");
    await notes.first().waitFor();
    assert.deepEqual(await notes.allTextContents(), [LEFT_OUT, LEFT_OUT]);
    assert.deepEqual(troubles, []);
    await context.close();
  });

  test("are no empty section where there are none", async () => {
    const video = await upload(server, await clip("mono-360p30.mp4"));
    assert.deepEqual(video.notes, []);
    const { page, context } = await newPage(browser);
    await page.goto(`${server.url}/watch/${video.id}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    assert.equal(await page.getByRole("region", { name: "About this file" }).count(), 0);
    await context.close();
  });
});
