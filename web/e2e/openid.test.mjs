// Sign-in by an OpenID provider in the page: an account is linked to it, signed in by it, and unlinked.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { CLIENT, startProvider } from "./openid.mjs";
import { heading, menu, PASSWORD, press, signUp } from "./people.mjs";
import { startServer } from "./server.mjs";

const ADA = { name: "Ada", email: "ada@example.org", password: PASSWORD };

describe("an OpenID provider", { concurrency: false }, () => {
  let provider;
  let server;
  let browser;
  let page;
  before(async () => {
    provider = await startProvider({ sub: "7", email: ADA.email });
    server = await startServer((url) => ({
      CLIPCUT_ACCOUNTS: "on",
      CLIPCUT_PUBLIC_URL: url,
      CLIPCUT_OIDC_ISSUER: provider.issuer,
      CLIPCUT_OIDC_CLIENT_ID: CLIENT,
    }));
    browser = await launch();
    ({ page } = await newPage(browser, { viewport: { width: 360, height: 640 } }));
    await page.goto(`${server.url}/account`);
    await signUp(page, ADA);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    provider?.stop();
  });

  const fits = async () =>
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);

  test("somebody whom it knows and this site does not is told so", async () => {
    await menu(page, ADA, "Sign out");
    await page.getByRole("link", { name: "Sign in" }).click();
    await heading(page, "Sign in");
    await page.getByRole("link", { name: "Single sign-on" }).click();
    await page.getByRole("alert").filter({ hasText: "not linked to one here" }).waitFor();
    await fits();
  });

  test("an account is linked by its password, by keyboard", async () => {
    await page.goto(`${server.url}/account`);
    await page.getByLabel("E-mail", { exact: true }).fill(ADA.email);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Link", exact: true }).focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Link your account" });
    await dialog.getByLabel("Current password", { exact: true }).waitFor();
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Unlink" }).waitFor();
    await fits();
  });

  test("it signs the person in, on the page that they wanted", async () => {
    await menu(page, ADA, "Sign out");
    // The page goes elsewhere by itself first.
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    await page.goto(`${server.url}/mine`);
    await page.getByRole("link", { name: "Single sign-on" }).click();
    await heading(page, "My videos");
    await page.getByRole("button", { name: "Account of Ada" }).waitFor();
  });

  test("an account is unlinked", async () => {
    await page.goto(`${server.url}/account`);
    await press(page, "Unlink");
    const dialog = page.getByRole("dialog", { name: "Unlink your account?" });
    await dialog.getByLabel("Current password", { exact: true }).fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Link", exact: true }).waitFor();
  });
});
