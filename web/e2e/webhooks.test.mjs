// Webhooks in the page: made by keyboard, sent to a receiver of the test, and sent again from their log.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { focusOn, heading, PASSWORD, press, signIn, signUp } from "./people.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

const ADA = { name: "Ada", email: "ada@example.org", password: PASSWORD };

/** Starts a receiver that keeps what comes, and answers by `status`. */
async function startReceiver() {
  const receiver = { received: [], status: 204 };
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts).toString();
    receiver.received.push({ headers: request.headers, body, ...JSON.parse(body) });
    response.writeHead(receiver.status).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}/hook`;
  return Object.assign(receiver, { url, stop: () => server.close() });
}

function isSigned({ headers, body }, secret) {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const signature = createHmac("sha256", key).update(content).digest("base64");
  return headers["webhook-signature"] === `v1,${signature}`;
}

describe("webhooks", { concurrency: false }, () => {
  let server;
  let receiver;
  let browser;
  let page;
  let secret;
  before(async () => {
    receiver = await startReceiver();
    server = await startServer({ CLIPCUT_ACCOUNTS: "on", CLIPCUT_WEBHOOK_ALLOW: "127.0.0.1" });
    browser = await launch();
    ({ page } = await newPage(browser));
    await page.goto(`${server.url}/account`);
    await signUp(page, ADA);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    receiver?.stop();
  });

  test("one is made by keyboard, and its secret is shown once", async () => {
    await page.getByRole("button", { name: "New webhook" }).focus();
    await page.keyboard.press("Enter");
    await until("the field", () => page.evaluate(() => document.activeElement.name === "url"));
    await page.keyboard.type("http://10.0.0.1/hook");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").filter({ hasText: "not on the public internet" }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), "url");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type(receiver.url);
    await page.keyboard.press("Tab");
    // The first of the events: uploaded.
    await page.keyboard.press("Space");
    await page.keyboard.press("Enter");
    secret = await page.getByLabel("Secret", { exact: true }).inputValue();
    assert.match(secret, /^whsec_/);
    await press(page, "I have copied it");
    await page.reload();
    const list = page.getByRole("list", { name: "Webhooks" });
    await list.getByText("My videos · uploaded, ready, failed").waitFor();
    assert.equal(await page.getByLabel("Secret", { exact: true }).count(), 0);
  });

  test("an upload is sent on, signed", async () => {
    await page.goto(`${server.url}/mine`);
    await page.getByRole("heading", { name: "No videos yet" }).waitFor();
    const file = await clip("mono-360p30.mp4");
    await viewer.chooseFile(page, file);
    const { id } = await viewer.uploadedRow(page, file);
    await until("both events", () => receiver.received.length === 2, { seconds: 120 });
    assert.deepEqual(
      receiver.received.map((it) => [it.type, it.data.id, isSigned(it, secret)]),
      [
        ["video.uploaded", id, true],
        ["video.ready", id, true],
      ],
    );
  });

  test("the log shows what was sent, and sends it again", async () => {
    await page.goto(`${server.url}/account`);
    await press(page, `Deliveries to ${receiver.url}`);
    const dialog = page.getByRole("dialog", { name: "Deliveries" });
    const rows = dialog.getByRole("listitem");
    await rows.first().getByText("· delivered").waitFor();
    assert.equal(await rows.count(), 2);
    receiver.status = 500;
    await rows.first().getByRole("button").click();
    await rows.first().getByText("it answered 500").waitFor();
    receiver.status = 204;
    await rows.first().getByRole("button").click();
    await rows.first().getByText("· delivered").waitFor();
    const ids = receiver.received.slice(1).map((it) => it.headers["webhook-id"]);
    assert.equal(new Set(ids).size, 1);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  });

  test("one that is off sends nothing, and goes with its log", async () => {
    await press(page, `Switch the webhook ${receiver.url} off`);
    await press(page, `Switch the webhook ${receiver.url} on`);
    await press(page, `Delete the webhook ${receiver.url}`);
    await page.getByRole("dialog").getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("list", { name: "Webhooks" }).waitFor({ state: "detached" });
    await focusOn(page, "Webhooks");
  });

  test("a long address is not wider than a phone", async () => {
    const phone = await newPage(browser, { viewport: { width: 360, height: 640 } });
    await phone.page.goto(`${server.url}/account`);
    await heading(phone.page, "Sign in");
    await signIn(phone.page, ADA);
    await press(phone.page, "New webhook");
    const url = `${receiver.url}/${"long".repeat(60)}`;
    await phone.page.getByLabel("URL", { exact: true }).fill(url);
    await press(phone.page, "Make webhook");
    await press(phone.page, "I have copied it");
    const fits = async () =>
      assert.ok((await phone.page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
    await fits();
    await press(phone.page, `Deliveries to ${url}`);
    await phone.page.getByText("Nothing has been sent").waitFor();
    await fits();
    assert.deepEqual(phone.troubles, []);
    await phone.context.close();
  });
});
