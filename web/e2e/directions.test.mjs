// Words of people that are written from right to left, wherever the page shows them: each in its own direction, and none that turns
// what stands beside it.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { heading, menu, PASSWORD, press, signUp } from "./people.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

// "Greeting to the world (1)": the bracket at its end is what a wrong direction throws to the other side.
const ARABIC = "مرحبا بالعالم (1)";
const ADA = { name: ARABIC, email: "ada@example.org", password: PASSWORD };

describe("words from right to left", { concurrency: false }, () => {
  let folder;
  let server;
  let browser;
  let visit;
  let id;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "clipcut-directions-"));
    server = await startServer({ CLIPCUT_ACCOUNTS: "on" });
    browser = await launch();
    visit = await newPage(browser);
    const { page } = visit;
    await page.goto(`${server.url}/account`);
    await signUp(page, ADA);
    const { path } = await clip("two-languages-360p24.mkv");
    const body = await (await import("node:fs/promises")).readFile(path);
    ({ id } = await ask("POST", `videos?${new URLSearchParams({ title: ARABIC })}`, body));
    await ask("PATCH", `videos/${id}`, { description: ARABIC, tags: [ARABIC] });
    const query = new URLSearchParams({ language: "ar", label: ARABIC });
    const cues = `WEBVTT\n\n00:00.000 --> 00:09.000\n${ARABIC}\n`;
    await ask("POST", `videos/${id}/captions?${query}`, cues);
    await ask("POST", "account/tokens", { name: ARABIC, scopes: ["read"] });
    await until("the video to be ready", async () => {
      const { state } = await ask("GET", `videos/${id}`);
      return state === "ready";
    });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  async function ask(method, path, data) {
    const answer = await visit.context.request.fetch(`${server.url}/api/v1/${path}`, {
      method,
      data,
    });
    assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`);
    return answer.json();
  }

  /** Checks every place in which the words are, of which there are at least `least`. */
  async function assertOwnDirection(least) {
    const places = await visit.page.evaluate(placesOf, ARABIC);
    assert.ok(places.length >= least, JSON.stringify(places));
    assert.deepEqual(
      places.filter((it) => it.wrong),
      [],
    );
  }

  test("in the library, its dialogs and what is tagged", async () => {
    const { page } = visit;
    await page.goto(server.url);
    await page.getByRole("link", { name: ARABIC }).waitFor();
    await assertOwnDirection(3);
    await press(page, `Account of ${ARABIC}`);
    await page.getByRole("menu").waitFor();
    await assertOwnDirection(4);
    await page.keyboard.press("Escape");
    await press(page, `Edit ${ARABIC}`);
    await page.getByRole("dialog").waitFor();
    await assertOwnDirection(6);
    await page.keyboard.press("Escape");
    await press(page, `Delete ${ARABIC}`);
    await page.getByRole("dialog").waitFor();
    await assertOwnDirection(4);
    await page.goto(`${server.url}/?${new URLSearchParams({ tag: ARABIC })}`);
    await heading(page, `Tagged ${ARABIC}`);
    await page.getByRole("link", { name: ARABIC }).waitFor();
    await assertOwnDirection(3);
  });

  test("on the watch page, its transcript and its dialogs", async () => {
    const { page } = visit;
    await page.goto(`${server.url}/watch/${id}`);
    await viewer.opened(page);
    await page.evaluate(() => window.seen.video.pause());
    await viewer.choose(page, "Captions", ARABIC);
    const cue = page.getByRole("region", { name: "Transcript" }).getByRole("listitem").first();
    await cue.filter({ hasText: ARABIC }).waitFor();
    await assertOwnDirection(6);
    await page.getByRole("button", { name: "Captions", exact: true }).click();
    await page.getByRole("menu").waitFor();
    await assertOwnDirection(7);
    await page.keyboard.press("Escape");
    await cue.hover();
    await cue.getByRole("button", { name: /^Correct/ }).click();
    await page.getByRole("textbox").first().waitFor();
    await assertOwnDirection(6);
    await page.getByRole("button", { name: "Cancel" }).click();
    await page
      .getByRole("button", { name: /captions/i })
      .last()
      .click();
    await page.getByRole("dialog").waitFor();
    await assertOwnDirection(7);
  });

  test("in a search, and where nothing is found", async () => {
    const { page } = visit;
    await page.goto(`${server.url}/search?${new URLSearchParams({ q: ARABIC })}`);
    await page.getByRole("list", { name: "Results" }).waitFor();
    // The title and the description are in parts there, some of which are marked.
    await assertOwnDirection(3);
    await page.goto(`${server.url}/search?${new URLSearchParams({ q: `x ${ARABIC}` })}`);
    await page.getByRole("heading", { name: /^Nothing found/ }).waitFor();
  });

  test("in an account and among people", async () => {
    const { page } = visit;
    await menu(page, ADA, "My account");
    await page.getByRole("list", { name: "API tokens" }).waitFor();
    await assertOwnDirection(3);
    await page.goto(`${server.url}/people`);
    await page.getByRole("list", { name: "Accounts" }).waitFor();
    await assertOwnDirection(2);
    await press(page, `Limits of ${ARABIC}`);
    await page.getByRole("dialog").waitFor();
    await assertOwnDirection(3);
  });

  test("in an upload, its question and a video that failed", async () => {
    const { page } = visit;
    const path = join(folder, `${ARABIC}.mp4`);
    await writeFile(path, Buffer.alloc(2000, 7));
    await page.goto(server.url);
    await viewer.chooseFile(page, { path });
    await page.getByText("Failed", { exact: true }).waitFor();
    await assertOwnDirection(6);
    await page.goto(`${server.url}/jobs`);
    await page.getByRole("list", { name: "Failed videos" }).waitFor();
    await assertOwnDirection(2);
  });
});

/**
 * Runs in the page: every text and field with the words, and whether it is in the wrong direction. One that begins with them has
 * theirs; one in which ours come first leaves them to an element of their own.
 */
function placesOf(words) {
  const places = [];
  const visit = (text, element, own) => {
    if (
      !text.includes(words) ||
      element.closest("title, script, [hidden], .visually-hidden, [class*=hidden]")
    )
      return;
    const { direction } = getComputedStyle(element);
    const isolated = own.trim().startsWith(words);
    const wrong = direction !== "rtl" || !isolated;
    places.push({ text: own.slice(0, 80), tag: element.tagName, direction, wrong });
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (element.tagName === "OPTION" || element.tagName === "TEXTAREA") continue;
    const turned = element.closest("[dir], bdi") ?? document.body;
    visit(node.textContent, element, turned.textContent);
  }
  for (const field of document.querySelectorAll("input:not([type=file]), textarea")) {
    visit(field.value, field, field.value);
  }
  return places;
}
