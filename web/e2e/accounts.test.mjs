// Accounts in the page: the first one, signing in and out, invitations, a person's own account, and whose videos are
// whose.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { field, focusOn, heading, menu, PASSWORD, press, signIn, signUp } from "./people.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

const ADA = { name: "Ada", email: "ada@example.org", password: PASSWORD };
const KIM = { name: "Kim", email: "kim@example.org", password: PASSWORD };
const BOB = { name: "Bob", email: "bob@example.org", password: PASSWORD };

describe("with accounts", { concurrency: false }, () => {
  let server;
  let browser;
  /** The administrator's browser. */
  let ada;
  let bob;
  before(async () => {
    server = await startServer({ CLIPCUT_ACCOUNTS: "on", CLIPCUT_SIGN_UP: "invitation" });
    browser = await launch();
    ada = await visitor();
    bob = await visitor();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** A browser of its own, with a cookie of its own. */
  async function visitor(options = {}) {
    const visit = await newPage(browser, options);
    return { ...visit, at: (path) => visit.page.goto(`${server.url}${path}`) };
  }

  test("the first visitor makes the first account, on whatever page they come", async () => {
    const { page } = ada;
    await ada.at("/account");
    await heading(page, "Create the first account");
    assert.equal(await page.title(), "Create the first account · Clip Cut");
    assert.equal(await page.evaluate(() => document.activeElement.name), "name");
    await signUp(page, ADA);
    await heading(page, "My account");
    assert.equal(new URL(page.url()).pathname, "/account");
  });

  test("a refused password is named at its field, which has the focus", async () => {
    const { page } = ada;
    await page.getByRole("region", { name: "Password", exact: true }).waitFor();
    const form = page.getByRole("form", { name: "Password" });
    const next = form.getByLabel("New password", { exact: true });
    await form.getByLabel("Current password", { exact: true }).fill(PASSWORD);
    await next.fill("short");
    await form.getByRole("button", { name: "Change password" }).click();
    await form.getByRole("alert").waitFor();
    assert.equal(await next.getAttribute("aria-invalid"), "true");
    assert.equal(await page.evaluate(() => document.activeElement.name), "new_password");
    const named = await next.evaluate((it) =>
      it
        .getAttribute("aria-describedby")
        .split(" ")
        .map((id) => document.getElementById(id).textContent)
        .join(" "),
    );
    assert.match(named, /at least 8 characters/);
    await next.fill("short, but longer");
    assert.equal(await form.getByRole("alert").count(), 0);
    await form.getByLabel("Current password", { exact: true }).fill("not the password");
    await form.getByRole("button", { name: "Change password" }).click();
    await form.getByRole("alert").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), "current_password");
  });

  test("password managers find what they fill", async () => {
    const { page } = ada;
    const autocompletes = await page
      .getByRole("form", { name: "Password" })
      .locator("input")
      .evaluateAll((all) => all.map((it) => it.autocomplete));
    assert.deepEqual(autocompletes, ["username", "current-password", "new-password"]);
  });

  test("a page that needs an account is shown after the sign-in, where it was asked for", async () => {
    const { page } = await visitor();
    await page.goto(`${server.url}/mine`);
    await heading(page, "Sign in");
    await signIn(page, { ...ADA, password: "wrong password" });
    await page.getByRole("alert").waitFor();
    await signIn(page, ADA);
    await heading(page, "My videos");
    assert.equal(new URL(page.url()).pathname, "/mine");
    await page.context().close();
  });

  test("the button of the header comes back too", async () => {
    const { page } = await visitor();
    await page.goto(`${server.url}/`);
    await page.getByRole("link", { name: "Sign in" }).click();
    await heading(page, "Sign in");
    assert.equal(await page.getByRole("button", { name: "Upload" }).count(), 0);
    await signIn(page, ADA);
    await page.getByRole("heading", { name: "No videos yet" }).waitFor();
    assert.equal(new URL(page.url()).pathname, "/");
    await page.context().close();
  });

  test("somebody who is invited has an account", async () => {
    const { page } = ada;
    await menu(page, ADA, "People");
    await heading(page, "People");
    await press(page, "Make a link");
    const link = await page.getByLabel("Link", { exact: true }).inputValue();
    await bob.page.goto(link);
    await heading(bob.page, "Create an account");
    await signUp(bob.page, BOB);
    assert.equal(bob.page.url(), `${server.url}/`);
    const late = await visitor();
    await late.page.goto(link);
    await field(late.page, "Name").fill("Eve");
    await field(late.page, "E-mail").fill("eve@example.org");
    await field(late.page, "Password").fill(PASSWORD);
    await press(late.page, "Create account");
    await late.page.getByRole("alert").filter({ hasText: "used already" }).waitFor();
    await late.context.close();
  });

  test("the menu goes by keyboard", async () => {
    const { page } = bob;
    const button = page.getByRole("button", { name: "Account of Bob" });
    await button.focus();
    await page.keyboard.press("Enter");
    const focused = () => page.evaluate(() => document.activeElement.textContent);
    await until("the first entry", async () => (await focused()) === "My videos");
    await page.keyboard.press("ArrowDown");
    assert.equal(await focused(), "Shared with me");
    await page.keyboard.press("End");
    assert.equal(await focused(), "Sign out");
    assert.equal(await page.getByRole("menuitem", { name: "People" }).count(), 0);
    await page.keyboard.press("Escape");
    assert.equal(await button.evaluate((it) => it === document.activeElement), true);
    await bob.at("/people");
    await heading(page, "This page is for administrators");
  });

  let video;

  test("an upload is the person's own, and nobody else may change it", async () => {
    const { page } = bob;
    await bob.at("/mine");
    await page.getByRole("heading", { name: "No videos yet" }).waitFor();
    const file = await clip("mono-360p30.mp4");
    await viewer.chooseFile(page, file);
    video = await viewer.uploadedRow(page, file);
    const card = page.getByRole("list", { name: "Videos" }).getByRole("listitem");
    await card.getByText("Bob").waitFor();
    const stranger = await visitor();
    await stranger.at(`/watch/${video.id}`);
    await viewer.opened(stranger.page);
    await stranger.page.getByText("Bob", { exact: false }).first().waitFor();
    for (const name of ["Edit", "Delete", "Manage captions"]) {
      assert.equal(await stranger.page.getByRole("button", { name }).count(), 0, name);
    }
    assert.deepEqual(stranger.troubles, []);
    await stranger.context.close();
  });

  test("a private video is nobody else's to see", async () => {
    const { page } = bob;
    await bob.at(`/watch/${video.id}`);
    await press(page, "Edit");
    await page.getByRole("radio", { name: /^Private/ }).check();
    await press(page, "Save");
    await page.getByText("· Private").waitFor();
    const stranger = await visitor();
    await stranger.at(`/watch/${video.id}`);
    await heading(stranger.page, "This video is not here");
    await stranger.context.close();
  });

  test("a share link opens it to a stranger until it is ended", async () => {
    const { page } = bob;
    await bob.at(`/watch/${video.id}`);
    await press(page, "Edit");
    await press(page, "Make link");
    const link = await page.getByLabel("Link 1", { exact: true }).inputValue();
    const stranger = await visitor();
    await stranger.page.goto(link);
    await viewer.opened(stranger.page);
    assert.deepEqual(stranger.troubles, []);
    await press(page, "End Link 1");
    await page.getByRole("list", { name: "Share links" }).waitFor({ state: "detached" });
    await stranger.page.reload();
    await heading(stranger.page, "This video is not here");
    await stranger.context.close();
  });

  test("a person watches what is shared with them, until that is ended", async () => {
    await ada.at("/people");
    await press(ada.page, "Make a link");
    const invitation = await ada.page.getByLabel("Link", { exact: true }).inputValue();
    const kim = await visitor();
    await kim.page.goto(invitation);
    await signUp(kim.page, KIM);
    await menu(kim.page, KIM, "Shared with me");
    await kim.page.getByRole("heading", { name: "Nothing is shared with you" }).waitFor();
    const { page } = bob;
    await bob.at(`/watch/${video.id}`);
    await press(page, "Edit");
    const person = field(page, "E-mail or account id");
    await person.fill("nobody@");
    await press(page, "Share");
    await page.getByRole("alert").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), "person");
    await person.fill(KIM.email);
    await press(page, "Share");
    // The other page hears of it by itself.
    await kim.page.getByRole("list", { name: "Videos" }).getByRole("link").click();
    await viewer.opened(kim.page);
    assert.deepEqual(kim.troubles, []);
    await press(page, `Stop sharing with ${KIM.email}`);
    await page.getByRole("list", { name: "People" }).waitFor({ state: "detached" });
    await kim.page.reload();
    await heading(kim.page, "This video is not here");
    await kim.at("/shared");
    await kim.page.getByRole("heading", { name: "Nothing is shared with you" }).waitFor();
    await kim.context.close();
  });

  test("what was typed outlives the session, and is saved after a new sign-in", async () => {
    const { page } = bob;
    await bob.at(`/watch/${video.id}`);
    await press(page, "Edit");
    await field(page, "Title").fill("Typed before the session ended");
    await bob.context.clearCookies();
    await press(page, "Save");
    const dialog = page.getByRole("dialog", { name: "Your session has ended" });
    await dialog.waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), "password");
    assert.equal(await dialog.getByLabel("E-mail", { exact: true }).inputValue(), BOB.email);
    await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.keyboard.press("Enter");
    await heading(page, "Typed before the session ended");
    assert.equal(await page.getByRole("dialog").count(), 0);
  });

  test("an upload waits for the sign-in as well", async () => {
    const { page } = bob;
    await bob.at("/mine");
    const file = await clip("sound-alone.flac");
    await page.getByRole("list", { name: "Videos" }).waitFor();
    await bob.context.clearCookies();
    await viewer.chooseFile(page, file);
    const dialog = page.getByRole("dialog", { name: "Your session has ended" });
    await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.keyboard.press("Enter");
    await viewer.uploadedRow(page, file);
  });

  test("a token is shown once", async () => {
    const { page } = bob;
    await bob.at("/account");
    await press(page, "New token");
    await field(page, "Token name").fill("Script");
    await press(page, "Make token");
    const token = await page.getByLabel("Token", { exact: true }).inputValue();
    assert.ok(token.length > 20, token);
    await press(page, "I have copied it");
    assert.equal(await page.getByLabel("Token", { exact: true }).count(), 0);
    const list = page.getByRole("list", { name: "API tokens" });
    await list.getByText("Script", { exact: true }).waitFor();
    const made = await fetch(`${server.url}/api/v1/account`, {
      headers: { authorization: `Bearer ${token}` },
    });
    // It may upload, and not read.
    assert.equal(made.status, 403);
    await page.getByRole("button", { name: "Delete the token Script" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await list.waitFor({ state: "detached" });
  });

  test("a session is ended from another one", async () => {
    const other = await visitor();
    await other.at("/account");
    await signIn(other.page, BOB);
    await heading(other.page, "My account");
    const { page } = bob;
    await bob.at("/account");
    const list = page.getByRole("list", { name: "Sessions" });
    await list.getByText("This browser").waitFor();
    const ends = list.getByRole("button", { name: /^End the session/ });
    const before = await ends.count();
    // The newest is first or last, so that all others are ended.
    for (let left = before; left > 0; left -= 1) {
      await ends.first().click();
      await until("the row to go", async () => (await ends.count()) === left - 1);
    }
    await focusOn(page, "Sessions");
    const form = other.page.getByRole("form", { name: "Name" });
    await form.getByLabel("Name", { exact: true }).fill("Robert");
    await form.getByRole("button", { name: "Save name" }).click();
    await other.page.getByRole("dialog", { name: "Your session has ended" }).waitFor();
    await other.context.close();
  });

  test("a disabled account signs in no more", async () => {
    const { page } = ada;
    await ada.at("/people");
    await press(page, "Disable Bob");
    await page.getByRole("button", { name: "Enable Bob" }).waitFor();
    const other = await visitor();
    await other.at("/sign-in");
    await signIn(other.page, BOB);
    await other.page.getByRole("alert").waitFor();
    await press(page, "Enable Bob");
    await page.getByRole("button", { name: "Disable Bob" }).waitFor();
    await signIn(other.page, BOB);
    await other.page.getByRole("button", { name: "Account of Bob" }).waitFor();
    await other.context.close();
  });

  test("nothing is wider than a phone", async () => {
    const phone = { viewport: { width: 360, height: 640 }, hasTouch: true, isMobile: true };
    const { page, context, at } = await visitor(phone);
    const fits = async (name) => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 360, `${name}: ${wide}`);
      const shots = process.env.CLIPCUT_TEST_SHOTS;
      if (shots) await page.screenshot({ path: `${shots}/${name}-360.png`, fullPage: true });
    };
    await at("/sign-in");
    await heading(page, "Sign in");
    await fits("sign-in");
    await signIn(page, ADA);
    await page.getByRole("button", { name: "Account of Ada" }).waitFor();
    for (const [path, title] of [
      ["/mine", "My videos"],
      ["/account", "My account"],
      ["/people", "People"],
      ["/jobs", "Jobs"],
    ]) {
      await at(path);
      await heading(page, title);
      if (path !== "/mine") await page.getByRole("list").first().waitFor();
      await fits(path.slice(1));
    }
    await press(page, "Account of Ada");
    await fits("menu");
    await context.close();
  });

  test("an account goes with its videos, and signs nobody in", async () => {
    const { page } = bob;
    await bob.at("/account");
    // Disabling the account has ended its sessions.
    await heading(page, "Sign in");
    await signIn(page, BOB);
    await press(page, "Delete my account");
    const dialog = page.getByRole("dialog", { name: "Delete your account?" });
    await dialog.getByLabel("Current password", { exact: true }).fill(PASSWORD);
    await dialog.getByRole("button", { name: "Delete for good" }).click();
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    const left = await (await fetch(`${server.url}/api/v1/videos`)).json();
    assert.deepEqual(left.videos, []);
  });

  test("signing out leaves a page that knows nobody", async () => {
    const { page } = ada;
    await ada.at("/account");
    await menu(page, ADA, "Sign out");
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    assert.equal(await page.getByRole("button", { name: /^Account of/ }).count(), 0);
    await ada.at("/account");
    await heading(page, "Sign in");
  });
});

describe("without accounts", () => {
  test("the page has no trace of them", async () => {
    const server = await startServer();
    const browser = await launch();
    try {
      const { page, troubles } = await newPage(browser);
      await page.goto(server.url);
      await page.getByRole("button", { name: "Upload", exact: true }).waitFor();
      assert.equal(await page.getByRole("link", { name: "Sign in" }).count(), 0);
      assert.equal(await page.getByRole("button", { name: /^Account of/ }).count(), 0);
      assert.deepEqual(troubles, []);
      await page.goto(`${server.url}/account`);
      await page.getByRole("heading", { name: "There is no such page" }).waitFor();
    } finally {
      await browser.close();
      await server.stop();
    }
  });
});
