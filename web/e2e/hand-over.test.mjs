// An account that ends hands its videos to another: by its person, with the keyboard alone on a narrow screen, and by an administrator.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { field, heading, makeAccount, PASSWORD, press, signIn, signUp } from "./people.mjs";
import { startServer } from "./server.mjs";
import * as viewer from "./viewer.mjs";

const ADA = { name: "Ada", email: "ada@example.org", password: PASSWORD };
const BOB = { name: "Bob", email: "bob@example.org", password: PASSWORD };
const KIM = { name: "Kim", email: "kim@example.org", password: PASSWORD };
const NARROW = { viewport: { width: 360, height: 640 } };

describe("an account's end", { concurrency: false }, () => {
  let server;
  let browser;
  let ada;
  let video;
  let kimsId;
  before(async () => {
    server = await startServer({ CLIPCUT_ACCOUNTS: "on", CLIPCUT_SIGN_UP: "invitation" });
    browser = await launch();
    ada = await visitor();
    await ada.at("/");
    await signUp(ada.page, ADA);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function visitor(options = {}) {
    const visit = await newPage(browser, options);
    return { ...visit, at: (path) => visit.page.goto(`${server.url}${path}`) };
  }

  async function member(person, options) {
    const visit = await visitor(options);
    await makeAccount(server, person, ada.context);
    await visit.at("/sign-in");
    await signIn(visit.page, person);
    await visit.page.getByRole("button", { name: `Account of ${person.name}` }).waitFor();
    return visit;
  }

  const owner = async () =>
    (await fetch(`${server.url}/api/v1/videos/${video.id}`).then((it) => it.json())).owner.name;

  const focused = (page) => page.evaluate(() => document.activeElement.name);

  /** Goes on by one key until a field has the focus. */
  async function goTo(page, key, name) {
    for (let times = 0; times < 10; times++) {
      if ((await focused(page)) === name) return;
      await page.keyboard.press(key);
    }
    assert.equal(await focused(page), name);
  }

  const fits = async (page) =>
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);

  test("a person hands their videos over by the keyboard alone, at 360 pixels", async () => {
    const kim = await member(KIM);
    await kim.at("/account");
    kimsId = await field(kim.page, "Account id").inputValue();
    await kim.context.close();
    const { page, context, troubles, at } = await member(BOB, NARROW);
    await viewer.chooseFile(page, await clip("mono-360p30.mp4"));
    video = await viewer.uploadedRow(page, await clip("mono-360p30.mp4"));
    await at("/account");
    await page.getByRole("button", { name: "Delete my account" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Delete your account?" }).waitFor();
    assert.equal(await focused(page), "current_password");
    await page.keyboard.type(PASSWORD);
    await goTo(page, "Shift+Tab", "videos");
    await page.keyboard.press("ArrowDown");
    await fits(page);
    await goTo(page, "Tab", "heir");
    await page.keyboard.type("0123456789abcdef");
    await page.keyboard.press("Enter");
    await page
      .getByRole("alert")
      .getByText(/^No other account has this id/)
      .waitFor();
    await fits(page);
    assert.equal(await focused(page), "heir");
    await page.keyboard.press("Control+a");
    await page.keyboard.type(kimsId);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    assert.equal(await owner(), "Kim");
    // The browser writes down each refusal by itself.
    assert.deepEqual(
      troubles.filter((it) => !/422/.test(it)),
      [],
    );
    await context.close();
  });

  test("an administrator removes a person and gives their videos to somebody else", async () => {
    const { page } = ada;
    await page.setViewportSize(NARROW.viewport);
    await ada.at("/people");
    await press(page, "Remove Kim");
    const dialog = page.getByRole("dialog", { name: "Remove Kim?" });
    await dialog.getByRole("radio", { name: /^Hand them over/ }).focus();
    await page.keyboard.press("Space");
    await dialog
      .getByLabel("New owner", { exact: true })
      .selectOption({ label: "Ada (ada@example.org)" });
    await fits(page);
    await dialog.getByRole("button", { name: "Remove for good" }).focus();
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    assert.equal(await page.getByRole("button", { name: "Remove Kim" }).count(), 0);
    assert.equal(
      await page.getByRole("button", { name: "Remove Ada" }).count(),
      0,
      "one's own is on its page",
    );
    assert.equal(await owner(), "Ada");
    const late = await visitor();
    await late.at("/sign-in");
    await signIn(late.page, KIM);
    await late.page.getByRole("alert").waitFor();
    await late.context.close();
    await heading(page, "People");
  });
});
