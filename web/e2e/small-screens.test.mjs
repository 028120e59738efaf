// The smallest phones, upright and lying: nothing is cut off, and nothing lies beneath something else.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { heading, PASSWORD, press, signUp } from "./people.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

const ADA = { name: "Ada", email: "ada@example.org", password: PASSWORD };
const SIZES = { small: [320, 568], upright: [360, 640], lying: [640, 360] };

// At the top of the picture, where a foreigner's words often stand.
const CUES = "WEBVTT\n\n00:00.000 --> 00:03.000 line:0\nAbove\n\n00:03.000 --> 00:09.000\nBelow\n";

describe("on small screens", { concurrency: false }, () => {
  let folder;
  let server;
  let browser;
  let id;
  /** Ada's session: one sign-in for all, for so many from one address would be refused. */
  let storageState;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "clipcut-small-"));
    server = await startServer({ CLIPCUT_ACCOUNTS: "on" });
    browser = await launch();
    const { page, context } = await newPage(browser);
    await page.goto(server.url);
    await signUp(page, ADA);
    const film = await clip("two-languages-360p24.mkv");
    await viewer.chooseFile(page, film);
    ({ id } = await viewer.uploadedRow(page, film));
    const url = `${server.url}/api/v1/videos/${id}/captions?language=fr`;
    assert.equal((await context.request.post(url, { data: CUES })).status(), 201);
    storageState = await context.storageState();
    await context.close();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  async function phone(size) {
    const [width, height] = SIZES[size];
    const viewport = { width, height };
    return newPage(browser, { viewport, hasTouch: true, isMobile: true, storageState });
  }

  for (const size of Object.keys(SIZES)) {
    test(`no page is wider than one that is ${size}`, async () => {
      const { page, context } = await phone(size);
      for (const [path, title] of [
        ["/", "Library"],
        ["/mine", "My videos"],
        ["/search?q=words", /Results/],
        ["/account", "My account"],
        ["/people", "People"],
        ["/jobs", "Jobs"],
        [`/watch/${id}`, "two-languages-360p24"],
      ]) {
        await page.goto(`${server.url}${path}`);
        await heading(page, title);
        await until("what it loads", async () => (await page.getByRole("list").count()) > 0);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= SIZES[size][0], `${path}: ${width}`);
        const search = await page.getByRole("searchbox").boundingBox();
        assert.ok(search.width >= 120, `${path}: a search field of ${search.width}`);
        await page.getByRole("button", { name: "Upload", exact: true }).waitFor();
      }
      await context.close();
    });

    test(`every control of the player is whole and free, ${size}`, async () => {
      const { page, context } = await phone(size);
      await page.goto(`${server.url}/watch/${id}`);
      await viewer.opened(page);
      await page.evaluate(() => window.seen.video.pause());
      await page.getByRole("button", { name: "Captions", exact: true }).waitFor();
      const player = page.getByRole("region", { name: "Video player" });
      assert.deepEqual(await player.evaluate(cutOrCovered), []);
      await context.close();
    });

    test(`every entry of the account's menu can be reached beside uploads, ${size}`, async () => {
      const { page, context } = await phone(size);
      await page.goto(server.url);
      for (const name of ["one", "two", "three"]) {
        const path = join(folder, `${name}.mp4`);
        await writeFile(path, "These are words, whatever the name.\n");
        await viewer.chooseFile(page, { path });
        await page.getByRole("region", { name: "Uploads" }).getByText(`${name}.mp4`).waitFor();
      }
      await press(page, "Account of Ada");
      const entries = await page.getByRole("menuitem").all();
      assert.ok(entries.length >= 6, `${entries.length}`);
      for (const entry of entries) {
        await entry.scrollIntoViewIfNeeded();
        const name = await entry.textContent();
        assert.equal(await entry.evaluate(isOnTop), true, name);
      }
      await context.close();
    });
  }

  test("words stay on the picture and above the controls, at its top and at its bottom", async () => {
    const { page, context } = await phone("upright");
    await page.goto(`${server.url}/watch/${id}`);
    await viewer.opened(page);
    await page.evaluate(() => window.seen.video.pause());
    await viewer.choose(page, "Captions", "French");
    const client = await context.newCDPSession(page);
    const stage = await page.getByRole("region", { name: "Video player" }).boundingBox();
    const seek = await page.getByRole("slider", { name: "Seek" }).boundingBox();
    // 0 and a half of the film: above, and below.
    for (const key of ["0", "5"]) {
      await page.keyboard.press(key);
      let cues;
      await until(
        () => `a line between ${stage.y} and ${seek.y}; there is ${JSON.stringify(cues)}`,
        async () => {
          cues = await cueBoxes(client);
          const [cue] = cues;
          return cues.length === 1 && cue.top >= stage.y && cue.bottom <= seek.y + seek.height / 2;
        },
        { seconds: 5 },
      );
    }
    await context.close();
  });

  test("that the server is gone is said above the uploads", async () => {
    const { page, context } = await phone("upright");
    await page.goto(server.url);
    const path = join(folder, "one.mp4");
    await writeFile(path, "These are words, whatever the name.\n");
    await viewer.chooseFile(page, { path });
    await page.getByRole("region", { name: "Uploads" }).getByText("one.mp4").waitFor();
    await server.fall();
    const notice = page.getByText("This page goes on by itself once it does");
    await notice.waitFor({ timeout: 30_000 });
    assert.equal(await notice.evaluate(isSeen), true);
    await server.rise();
    await notice.waitFor({ state: "detached", timeout: 30_000 });
    await context.close();
  });
});

/** Runs in the page: whether a finger on the middle of the element meets it. */
function isOnTop(element) {
  const box = element.getBoundingClientRect();
  const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return there !== null && element.contains(there);
}

/** Runs in the page: whether nothing is drawn above the element, which itself lets presses through. */
function isSeen(element) {
  element.style.pointerEvents = "auto";
  const box = element.getBoundingClientRect();
  const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return element.contains(there);
}

/** Runs in the page: the names of the player's buttons that stick out of it or lie beneath something. */
function cutOrCovered(player) {
  const stage = player.getBoundingClientRect();
  return [...player.querySelectorAll("button:not([aria-hidden])")]
    .filter((it) => it.checkVisibility())
    .filter((it) => {
      const box = it.getBoundingClientRect();
      const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      return box.left < stage.left || box.right > stage.right || !it.contains(there);
    })
    .map((it) => it.ariaLabel);
}

/** Resolves to where the browser draws the lines of captions, in its own shadow tree of the media element. */
async function cueBoxes(client) {
  const { root } = await client.send("DOM.getDocument", { depth: -1, pierce: true });
  const displays = [];
  const walk = (node) => {
    const { attributes = [] } = node;
    const at = attributes.indexOf("pseudo");
    const pseudo = at >= 0 ? attributes[at + 1] : "";
    if (pseudo === "-webkit-media-text-track-display") displays.push(node.nodeId);
    for (const it of [...(node.children ?? []), ...(node.shadowRoots ?? [])]) walk(it);
  };
  walk(root);
  const boxes = [];
  for (const nodeId of displays) {
    const { model } = await client.send("DOM.getBoxModel", { nodeId }).catch(() => ({}));
    if (model) boxes.push({ top: model.border[1], bottom: model.border[5] });
  }
  return boxes;
}
