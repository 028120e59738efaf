// The second factor in the page: set up by keyboard with the code of an app, asked for at the sign-in, and turned off.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { field, focusOn, heading, menu, PASSWORD, press, signIn, signUp } from "./people.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";

const ADA = { name: "Ada", email: "ada@example.org", password: PASSWORD };
const BASE_32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The code that an authenticator app shows for a secret in base 32 (RFC 6238), now or some half minutes later. */
function codeOf(secret, steps = 0) {
  const bits = [...secret].map((it) => BASE_32.indexOf(it).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((it) => Number.parseInt(it, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + steps));
  const mac = createHmac("sha1", key).update(counter).digest();
  const number = mac.readUInt32BE(mac[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, "0");
}

describe("the second factor", { concurrency: false }, () => {
  let server;
  let browser;
  let page;
  let secret;
  let codes;
  before(async () => {
    server = await startServer({ CLIPCUT_ACCOUNTS: "on" });
    browser = await launch();
    ({ page } = await newPage(browser, { viewport: { width: 360, height: 640 } }));
    await page.goto(`${server.url}/account`);
    await signUp(page, ADA);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const focused = (name) =>
    until(`the field ${name}`, () =>
      page.evaluate((it) => document.activeElement.name === it, name),
    );
  const fits = async () =>
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);

  test("it is set up by keyboard, with the password and the first code", async () => {
    await page.getByRole("button", { name: "Set up" }).focus();
    await page.keyboard.press("Enter");
    await focused("current_password");
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await focused("code");
    await page.getByRole("img", { name: /^QR code/ }).waitFor();
    secret = await field(page, "Key").inputValue();
    await fits();
    await page.keyboard.type("abcdef");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "The code is wrong" }).waitFor();
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type(codeOf(secret));
    await page.keyboard.press("Enter");
    const list = page.getByRole("list", { name: "Recovery codes" });
    const items = list.getByRole("listitem");
    await items.nth(9).waitFor();
    codes = await items.allTextContents();
    assert.equal(new Set(codes).size, 10);
    await fits();
    await press(page, "I have kept them");
    await focusOn(page, "Second factor");
    await page.getByText("10 recovery codes are left.").waitFor();
  });

  test("a sign-in asks for the code, and a recovery code will do", async () => {
    await menu(page, ADA, "Sign out");
    await page.getByRole("link", { name: "Sign in" }).click();
    await heading(page, "Sign in");
    await signIn(page, ADA);
    await focused("code");
    await page.keyboard.type(codeOf(secret, 1));
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Account of Ada" }).waitFor();
    await menu(page, ADA, "Sign out");
    await page.getByRole("link", { name: "Sign in" }).click();
    await signIn(page, ADA);
    await focused("code");
    await page.keyboard.type(codes[0]);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Account of Ada" }).waitFor();
  });

  test("it is turned off by the password", async () => {
    await page.goto(`${server.url}/account`);
    await page.getByText("9 recovery codes are left.").waitFor();
    await press(page, "Turn off");
    const dialog = page.getByRole("dialog", { name: "Turn the second factor off?" });
    await dialog.getByLabel("Current password", { exact: true }).fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Set up" }).waitFor();
    await menu(page, ADA, "Sign out");
    await page.getByRole("link", { name: "Sign in" }).click();
    await signIn(page, ADA);
    await page.getByRole("button", { name: "Account of Ada" }).waitFor();
  });
});
