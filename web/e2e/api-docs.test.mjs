// The page over the API's document: it works under the content security policy, and asks no other server for anything.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { launch, newPage } from "./chromium.mjs";
import { CLIPCUT, startServer } from "./server.mjs";

describe("the page over the API's document", { concurrency: false }, () => {
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

  test("shows every operation and runs one, under the policy and from this server alone", async () => {
    const { page, requests, troubles } = await newPage(browser);
    await page.goto(`${server.url}/api/docs`);
    const document = await (await fetch(`${server.url}/api/openapi.json`)).json();
    await page.getByRole("heading", { name: /^Clip Cut/ }).waitFor();
    const tags = document.tags.length;
    assert.equal(await page.locator(".opblock-tag").count(), tags);
    await page.locator('[data-tag="health"]').click();
    const live = page.locator("#operations-health-live");
    await live.locator(".opblock-summary-control").click();
    await live.getByRole("button", { name: "Try it out" }).click();
    await live.getByRole("button", { name: "Execute" }).click();
    await live.locator(".live-responses-table .response-col_status", { hasText: "200" }).waitFor();
    const elsewhere = requests.filter(
      (it) => !it.startsWith(server.url) && !it.startsWith("data:"),
    );
    assert.deepEqual(elsewhere, []);
    assert.deepEqual(troubles, []);
  });

  test("the types of the page are those of the document", async () => {
    const script = fileURLToPath(new URL("../../scripts/api-types", import.meta.url));
    const { stdout } = await promisify(execFile)(script, [CLIPCUT]);
    const types = await readFile(new URL("../src/api/schema.ts", import.meta.url), "utf8");
    assert.ok(stdout === types, "run `make api-types`");
  });
});
