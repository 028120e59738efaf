// Mail in the page: an invitation, and a password that was forgotten.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { field, heading, makeAccount, PASSWORD, press, signIn, signUp } from "./people.mjs";
import { startServer } from "./server.mjs";
import { startSmtp } from "./smtp.mjs";

const ADA = { name: "Ada", email: "ada@example.org", password: PASSWORD };
const KIM = { name: "Kim", email: "kim@example.org", password: PASSWORD };
const PHONE = { viewport: { width: 360, height: 640 } };

/** Returns the address in a mail, at the server of the test. */
function linkIn(server, mail) {
  const link = new URL(/http:\/\/videos\.example\.org\/\S+/.exec(mail)[0]);
  return `${server.url}${link.pathname}${link.search}`;
}

describe("mail", { concurrency: false }, () => {
  let smtp;
  let server;
  let browser;
  let ada;
  before(async () => {
    smtp = await startSmtp();
    server = await startServer({
      CLIPCUT_ACCOUNTS: "on",
      CLIPCUT_SIGN_UP: "invitation",
      CLIPCUT_PUBLIC_URL: "http://videos.example.org",
      CLIPCUT_SMTP_URL: smtp.url,
      CLIPCUT_SMTP_FROM: "Clip Cut <videos@example.org>",
    });
    browser = await launch();
    ada = await newPage(browser);
    await ada.page.goto(`${server.url}/people`);
    await signUp(ada.page, ADA);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await smtp?.stop();
  });

  async function linkOf(to) {
    const mail = await smtp.next();
    assert.ok(mail.includes(`To: ${to.email}`), mail);
    return linkIn(server, mail);
  }

  test("an invitation is sent to the one who is invited", async () => {
    const { page } = ada;
    await field(page, "E-mail (optional)").fill(KIM.email);
    await press(page, "Send");
    await page.getByText(`An invitation is on its way to ${KIM.email}.`).waitFor();
    const kim = await newPage(browser);
    await kim.page.goto(await linkOf(KIM));
    await heading(kim.page, "Create an account");
    await signUp(kim.page, KIM);
    await kim.context.close();
  });

  test("a forgotten password is set anew, by keyboard and on a phone", async () => {
    const { page, context } = await newPage(browser, PHONE);
    const fits = async () =>
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    await page.goto(`${server.url}/sign-in`);
    await page.getByRole("link", { name: "Forgot your password?" }).click();
    await heading(page, "Forgotten password");
    await fits();
    await page.keyboard.type(KIM.email);
    await page.keyboard.press("Enter");
    await heading(page, "Look into your mail");
    await fits();
    await page.goto(await linkOf(KIM));
    await heading(page, "New password");
    await page.keyboard.type("short");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "at least 8 characters" }).waitFor();
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("another correct horse");
    await page.keyboard.press("Enter");
    await heading(page, "Your password is changed");
    await fits();
    await page.getByRole("link", { name: "To the sign-in" }).click();
    await signIn(page, { ...KIM, password: "another correct horse" });
    await page.getByRole("button", { name: "Account of Kim" }).waitFor();
    await context.close();
  });
});

describe("a site that is open to all", { concurrency: false }, () => {
  let smtp;
  let server;
  let browser;
  before(async () => {
    smtp = await startSmtp();
    server = await startServer({
      CLIPCUT_ACCOUNTS: "on",
      CLIPCUT_SIGN_UP: "open",
      CLIPCUT_PUBLIC_URL: "http://videos.example.org",
      CLIPCUT_SMTP_URL: smtp.url,
      CLIPCUT_SMTP_FROM: "Clip Cut <videos@example.org>",
    });
    await makeAccount(server, ADA);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await smtp?.stop();
  });

  async function ask(page, email) {
    await page.goto(`${server.url}/sign-up`);
    await heading(page, "Create an account");
    await page.keyboard.type(email);
    await page.keyboard.press("Enter");
    await heading(page, "Look into your mail");
    return page.getByRole("main").getByRole("status").textContent();
  }

  test("a mail makes the account, by keyboard and on a phone, and the page tells nothing of others", async () => {
    const { page, context } = await newPage(browser, PHONE);
    const known = await ask(page, ADA.email);
    assert.match(await smtp.next(), /has one already/);
    const unknown = await ask(page, KIM.email);
    assert.equal(known.replace(ADA.email, ""), unknown.replace(KIM.email, ""));
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    await page.goto(await linkIn(server, await smtp.next()));
    await heading(page, "Create an account");
    await signUp(page, KIM);
    await context.close();
  });

  test("a new address is the account's once its mail is read", async () => {
    const { page, context } = await newPage(browser);
    await page.goto(`${server.url}/sign-in?next=/account`);
    await signIn(page, ADA);
    const form = page.getByRole("form", { name: "E-mail" });
    await form.getByRole("textbox", { name: "E-mail" }).fill("lovelace@example.org");
    await form.getByRole("textbox", { name: "Current password" }).fill(PASSWORD);
    await press(page, "Save e-mail");
    await page.getByText("A link is on its way to lovelace@example.org.").waitFor();
    assert.equal(await form.getByRole("textbox", { name: "E-mail" }).inputValue(), ADA.email);
    const stranger = await newPage(browser, PHONE);
    await stranger.page.goto(await linkIn(server, await smtp.next()));
    await heading(stranger.page, "New e-mail");
    await press(stranger.page, "Use this address");
    await heading(stranger.page, "Your e-mail is changed");
    await page.reload();
    await page.waitForFunction(
      () => document.querySelector('input[name="email"]')?.value === "lovelace@example.org",
    );
    await stranger.context.close();
    await context.close();
  });
});

describe("without a server for mail", () => {
  test("the page names the administrator", async () => {
    const server = await startServer({ CLIPCUT_ACCOUNTS: "on" });
    const browser = await launch();
    try {
      const { page } = await newPage(browser);
      await page.goto(`${server.url}/account`);
      await signUp(page, ADA);
      await page.goto(`${server.url}/forgotten`);
      await page.getByText("Ask its administrator for a new password.").waitFor();
    } finally {
      await browser.close();
      await server.stop();
    }
  });
});
