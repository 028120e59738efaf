// Uploads through the page that do not go straight: wrong files, second thoughts, proxies with limits.

import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { startNginx } from "./nginx.mjs";
import { startProxy } from "./proxy.mjs";
import { startServer } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

// nginx's own default.
const NGINX_LIMIT = 1024 * 1024;

const WRONG = {
  "report.pdf": "%PDF-1.7\n\x00\x01",
  "notes.mp4": "These are words, whatever the name.\n",
  "list.m3u8": "#EXTM3U\n#EXTINF:6,\n/etc/passwd\n",
  "letter.docx": "PK\x03\x04\x14\x00",
};

describe("an upload through the page", { concurrency: false }, () => {
  let folder;
  let server;
  let browser;
  let visit;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "clipcut-upload-"));
    server = await startServer();
    browser = await launch();
    visit = await newPage(browser);
    await visit.page.goto(server.url);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const row = (page, name) =>
    page.getByRole("region", { name: "Uploads" }).getByRole("listitem").filter({ hasText: name });

  /** Resolves to how much of it was sent, in percent. */
  const stored = async (upload) =>
    Number(await upload.getByRole("progressbar").first().getAttribute("aria-valuenow"));

  for (const [name, bytes] of Object.entries(WRONG)) {
    test(`of ${name} is refused before a byte of it is sent`, async () => {
      const { page, requests } = visit;
      const path = join(folder, name);
      await writeFile(path, bytes, "latin1");
      const before = requests.length;
      await viewer.chooseFile(page, { path });
      await row(page, name).getByRole("alert").getByText("Choose another file").waitFor();
      assert.equal(await row(page, name).getByRole("button", { name: "Try again" }).count(), 0);
      const sent = requests.slice(before).filter((it) => it.includes("/uploads"));
      assert.deepEqual(sent, []);
    });
  }

  test("that only the server knows for no video stops at its head, with the reason and no Retry", async () => {
    const { page, context } = await newPage(browser);
    // As a page of before, which looks at no bytes.
    await page.addInitScript(() => {
      Blob.prototype.arrayBuffer = () => Promise.reject(new Error("unreadable"));
    });
    await page.goto(server.url);
    const path = join(folder, "archive.mp4");
    const archive = Buffer.alloc(30_000_000, 1);
    archive.write("PK\x03\x04", "latin1");
    await writeFile(path, archive);
    await viewer.chooseFile(page, { path });
    const line = row(page, "archive.mp4");
    await line.getByRole("alert").getByText("a ZIP archive or an office document").waitFor();
    assert.equal(await line.getByRole("button", { name: "Try again" }).count(), 0);
    const { videos } = await (await fetch(`${server.url}/api/v1/videos`)).json();
    assert.deepEqual(videos, []);
    // The event of the deletion comes too, and does not take the reason away.
    await page.getByText("No videos yet").waitFor();
    await line.getByRole("alert").waitFor();
    await context.close();
  });

  test("that the server cannot decode offers no Retry", async () => {
    const { page } = visit;
    const path = join(folder, "noise.mp4");
    await writeFile(path, Buffer.alloc(20_000, 7));
    await viewer.chooseFile(page, { path });
    const card = page.getByRole("list", { name: "Videos" }).getByRole("listitem");
    await card.getByText("Failed").waitFor({ timeout: 60_000 });
    assert.equal(await card.getByRole("button", { name: /^Retry/ }).count(), 0);
    await card.getByRole("button", { name: /^Delete/ }).waitFor();
  });

  test("is given up only after a question", async () => {
    const { page } = visit;
    const client = await page.context().newCDPSession(page);
    await client.send("Network.enable");
    const line = { offline: false, latency: 0, downloadThroughput: -1 };
    await client.send("Network.emulateNetworkConditions", { ...line, uploadThroughput: 100_000 });
    const path = join(folder, "large.mp4");
    const bytes = Buffer.alloc(30_000_000);
    bytes.write("\0\0\0\x20ftypisom", "latin1");
    await writeFile(path, bytes);
    await viewer.chooseFile(page, { path });
    const bar = row(page, "large.mp4").getByRole("progressbar");
    await row(page, "large.mp4")
      .getByText(/ of 30\.0 MB/)
      .waitFor();
    await until(
      "some bytes",
      async () => !(await row(page, "large.mp4").getByText("0 B of").count()),
    );
    const cancel = row(page, "large.mp4").getByRole("button", { name: "Cancel large.mp4" });
    const question = page.getByRole("dialog", { name: "Discard this upload?" });
    await cancel.click();
    await question.getByRole("button", { name: "Keep it" }).click();
    await bar.waitFor();
    await cancel.click();
    await question.getByRole("button", { name: "Discard" }).click();
    await bar.waitFor({ state: "detached" });
    await client.detach();
  });

  test("goes through a proxy with a limit, in pieces that fit", async () => {
    const source = await clip("stereo-1080p25.mp4");
    const { size } = await stat(source.path);
    assert.ok(size > 2 * NGINX_LIMIT, `${size} bytes`);
    const proxy = await startProxy(server, NGINX_LIMIT);
    const { page, context } = await newPage(browser);
    await page.goto(proxy.url);
    await viewer.chooseFile(page, source);
    await viewer.uploadedRow(page, source, { whole: false });
    assert.ok(proxy.uploads.every((it) => it <= NGINX_LIMIT));
    const sent = proxy.uploads.reduce((sum, it) => sum + it, 0);
    assert.equal(sent, size, `${proxy.uploads}`);
    await context.close();
    await proxy.stop();
  });

  test("goes through nginx as it is delivered", async () => {
    const source = await clip("stereo-1080p25.mp4");
    const nginx = await startNginx(server, "");
    const { page, context } = await newPage(browser);
    await page.goto(nginx.url);
    await viewer.chooseFile(page, source);
    await viewer.uploadedRow(page, source, { whole: false });
    await context.close();
    await nginx.stop();
  });

  test("goes on in smaller pieces when a proxy lowers its limit meanwhile", async () => {
    const source = await clip("stereo-1080p25.mp4");
    const nginx = await startNginx(
      server,
      "client_max_body_size 100m; proxy_request_buffering off;",
    );
    const { page, context } = await newPage(browser);
    const client = await context.newCDPSession(page);
    await client.send("Network.enable");
    const line = { offline: false, latency: 0, downloadThroughput: -1 };
    await client.send("Network.emulateNetworkConditions", { ...line, uploadThroughput: 500_000 });
    await page.goto(nginx.url);
    await viewer.chooseFile(page, source);
    const upload = row(page, source.name);
    await until("some bytes", async () => (await stored(upload)) > 0);
    await upload.getByRole("button", { name: `Pause ${source.name}` }).click();
    await nginx.reload("client_max_body_size 1m;");
    await upload.getByRole("button", { name: `Resume ${source.name}` }).click();
    await client.send("Network.emulateNetworkConditions", { ...line, uploadThroughput: -1 });
    await viewer.uploadedRow(page, source, { whole: false });
    await context.close();
    await nginx.stop();
  });

  test("goes on by itself after a server that was away for longer than it tries again", async () => {
    const source = await clip("stereo-1080p25.mp4");
    const { page, context } = await newPage(browser);
    await page.goto(server.url);
    await server.fall();
    await viewer.chooseFile(page, source);
    const upload = row(page, source.name);
    await upload.getByRole("alert").getByText("goes on by itself").waitFor({ timeout: 90_000 });
    await server.rise();
    await viewer.uploadedRow(page, source, { whole: false });
    await context.close();
  });

  test("of a file that was changed meanwhile asks for it again, and offers no Retry", async () => {
    const { page, context } = await newPage(browser);
    const client = await context.newCDPSession(page);
    await client.send("Network.enable");
    const line = { offline: false, latency: 0, downloadThroughput: -1 };
    await client.send("Network.emulateNetworkConditions", { ...line, uploadThroughput: 100_000 });
    await page.goto(server.url);
    const path = join(folder, "changed.mp4");
    const bytes = Buffer.alloc(30_000_000);
    bytes.write("\0\0\0\x20ftypisom", "latin1");
    await writeFile(path, bytes);
    await viewer.chooseFile(page, { path });
    const upload = row(page, "changed.mp4");
    await until("some bytes", async () => (await stored(upload)) > 0);
    await upload.getByRole("button", { name: "Pause changed.mp4" }).click();
    await writeFile(path, bytes.subarray(1000));
    await upload.getByRole("button", { name: "Resume changed.mp4" }).click();
    await upload.getByRole("alert").getByText("Choose it again").waitFor();
    assert.equal(await upload.getByRole("button", { name: "Try again" }).count(), 0);
    await context.close();
  });

  test("keeps its bar full while the video is encoded", async () => {
    const { page } = visit;
    const source = await clip("mono-360p30.mp4");
    await page.reload();
    await viewer.chooseFile(page, source);
    const bar = page.getByRole("progressbar", { name: "Upload of mono-360p30.mp4" });
    await bar.and(page.locator("[aria-valuenow='100']")).waitFor();
    const values = [];
    const look = async () => {
      values.push(await bar.getAttribute("aria-valuenow"));
      return row(page, "mono-360p30.mp4").getByText("Ready", { exact: true }).count();
    };
    // The videos of the tests before are encoded too.
    await until("the end of the encoding", look, { seconds: 120 });
    assert.deepEqual([...new Set(values)], ["100"]);
  });
});
