// Back, in every list of the page: as long as it was left, and in the same place.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { makeAccount, PASSWORD, signIn } from "./people.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

// More than a page of each list, and several screens.
const ENTRIES = 30;
const ADA = { name: "Ada", email: "ada@example.org", password: PASSWORD };
const BOB = { name: "Bob", email: "bob@example.org", password: PASSWORD };

describe("Back finds its place", { concurrency: false }, () => {
  let server;
  let browser;
  let ada;
  let bob;
  before(async () => {
    server = await startServer({ CLIPCUT_ACCOUNTS: "on", CLIPCUT_SIGN_UP: "invitation" });
    browser = await launch();
    await makeAccount(server, ADA);
    ada = await member(ADA);
    await makeAccount(server, BOB, ada.context);
    bob = await member(BOB);
    for (let at = 0; at < ENTRIES; at += 1) {
      await makeAccount(
        server,
        { ...ADA, name: `P${at}`, email: `p${at}@example.org` },
        ada.context,
      );
      const id = await film(at);
      await ask(ada, "POST", `videos/${id}/people`, { email: BOB.email });
    }
    await until("all of them to fail", async () => {
      const { videos } = await ask(ada, "GET", "videos?state=failed&limit=100");
      return videos.length === ENTRIES;
    });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  /** A browser whose person is signed in. */
  async function member(person) {
    const visit = await newPage(browser);
    await visit.page.goto(`${server.url}/sign-in`);
    await signIn(visit.page, person);
    await visit.page.getByRole("button", { name: `Account of ${person.name}` }).waitFor();
    return visit;
  }

  async function ask({ context }, method, path, data) {
    const answer = await context.request.fetch(`${server.url}/api/v1/${path}`, { method, data });
    assert.ok(answer.ok(), `${method} ${path}: ${answer.status()} ${await answer.text()}`);
    return answer.json();
  }

  /** Uploads what nobody can encode, so that it is in the list of failed ones too. */
  async function film(at) {
    const { id } = await ask(ada, "POST", `videos?title=Film ${at}`, Buffer.alloc(2000, 7));
    return id;
  }

  for (const [name, who, path, list, entry] of [
    ["in the library", () => ada, "/", "Videos", "Film 3"],
    ["in the videos of one person", () => ada, "/mine", "Videos", "Film 3"],
    ["in what is shared with a person", () => bob, "/shared", "Videos", "Film 3"],
    ["in the results of a search", () => ada, "/search?q=film", "Results", null],
    ["in the videos that failed", () => ada, "/jobs", "Failed videos", "Film 3"],
  ]) {
    test(name, async () => {
      const { page } = who();
      await page.goto(`${server.url}${path}`);
      const entries = page.getByRole("list", { name: list, exact: true }).locator("> li");
      const more = page.getByRole("button", { name: /^(Load more|More results)$/ });
      await until("all entries", async () => {
        if (await more.count()) await more.click();
        return (await entries.count()) === ENTRIES;
      });
      const links = entries.getByRole("link", { name: entry ?? /Film/, exact: entry !== null });
      await leavesAndComesBack(page, links.last());
      assert.equal(await entries.count(), ENTRIES);
    });
  }

  for (const [path, list] of [
    ["/people", "Accounts"],
    ["/account", "Sessions"],
  ]) {
    test(`on ${path}`, async () => {
      const { page } = ada;
      await page.goto(`${server.url}${path}`);
      await page.getByRole("list", { name: list, exact: true }).waitFor();
      await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
      await leavesAndComesBack(page, page.getByRole("link", { name: "Clip Cut, to the library" }));
    });
  }

  async function leavesAndComesBack(page, link) {
    await link.scrollIntoViewIfNeeded();
    const place = await page.evaluate(() => window.scrollY);
    assert.ok(place > 100, `${place}`);
    const address = page.url();
    await link.click();
    await page.waitForURL((it) => it.href !== address);
    await page.getByRole("heading", { level: 1 }).waitFor({ state: "attached" });
    await page.goBack();
    await viewer.scrolledTo(page, place);
  }
});
