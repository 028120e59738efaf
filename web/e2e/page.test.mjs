// The page's files and the API's JSON as they go over the wire: codings, validators, and addresses without a page.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { curl } from "./curl.mjs";
import { startServer } from "./server.mjs";

const BROWSER = ["-H", "Accept-Encoding: gzip, deflate, br, zstd"];
const OLD_BROWSER = ["-H", "Accept-Encoding: gzip, deflate"];

// Enough documents for a kilobyte of JSON; nothing needs to be encoded for it.
const UPLOADS = 6;

describe("the page over the wire", { concurrency: false }, () => {
  let server;
  let assets;
  before(async () => {
    server = await startServer();
    const { body } = await curl(server.url);
    assets = [...body.toString().matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((it) => it[1]);
    for (let at = 0; at < UPLOADS; at += 1) {
      const headers = { "tus-resumable": "1.0.0", "upload-length": "1000" };
      await fetch(`${server.url}/api/v1/uploads`, { method: "POST", headers });
    }
  });
  after(() => server?.stop());

  test("has its scripts and styles in brotli, gzip and plain, each with a tag of its own", async () => {
    assert.ok(assets.length >= 2, `${assets}`);
    let [sent, whole] = [0, 0];
    for (const asset of assets) {
      const plain = await curl(`${server.url}${asset}`);
      const gzip = await curl(...OLD_BROWSER, `${server.url}${asset}`);
      const brotli = await curl(...BROWSER, `${server.url}${asset}`);
      assert.equal(plain.headers["content-encoding"], undefined, asset);
      assert.equal(gzip.headers["content-encoding"], "gzip", asset);
      assert.equal(brotli.headers["content-encoding"], "br", asset);
      assert.ok(gunzipSync(gzip.body).equals(plain.body), asset);
      assert.ok(brotliDecompressSync(brotli.body).equals(plain.body), asset);
      const tags = new Set([plain, gzip, brotli].map((it) => it.headers.etag));
      assert.equal(tags.size, 3, `${[...tags]}`);
      for (const { headers } of [plain, gzip, brotli]) {
        assert.match(headers.vary, /accept-encoding/i);
        assert.equal(headers["cache-control"], "public, max-age=31536000, immutable");
      }
      sent += brotli.body.length;
      whole += plain.body.length;
    }
    // Of all together: a small chunk has less to repeat.
    assert.ok(sent < whole / 3, `${sent} of ${whole} bytes`);
  });

  test("is not sent again to a browser that has it", async () => {
    for (const path of ["/", ...assets]) {
      const { headers } = await curl(...BROWSER, `${server.url}${path}`);
      const tag = ["-H", `If-None-Match: ${headers.etag}`];
      const again = await curl(...BROWSER, ...tag, `${server.url}${path}`);
      assert.deepEqual([path, again.status, again.body.length], [path, 304, 0]);
      assert.equal(again.headers.etag, headers.etag);
    }
  });

  test("answers HEAD with the length of the coding", async () => {
    for (const path of ["/", ...assets]) {
      const got = await curl(...OLD_BROWSER, `${server.url}${path}`);
      const head = await curl("-I", ...OLD_BROWSER, `${server.url}${path}`);
      assert.equal(Number(head.headers["content-length"]), got.body.length, path);
      assert.equal(head.headers["content-encoding"], "gzip", path);
    }
  });

  test("has a coding only where there is a file", async () => {
    for (const path of ["/index.html.br", `${assets[0]}.gz`]) {
      assert.equal((await curl(`${server.url}${path}`)).status, 404, path);
    }
  });

  test("is at its own addresses and 404 at others", async () => {
    const cases = [
      ["/", 200, "text/html"],
      ["/watch/aaaaaaaaaaaaaaaa", 200, "text/html"],
      ["/search", 200, "text/html"],
      // There are no accounts here.
      ["/account", 404, "text/html"],
      ["/people", 404, "text/html"],
      ["/elsewhere", 404, "text/html"],
      ["/watch", 404, "text/html"],
      ["/watch/a/b", 404, "text/html"],
      ["/index.html", 404, "application/problem+json"],
      ["/api", 404, "application/problem+json"],
      ["/api/v2/videos", 404, "application/problem+json"],
      ["/v", 404, "application/problem+json"],
      ["/robots.txt", 404, "application/problem+json"],
      ["/favicon.ico", 404, "application/problem+json"],
      ["/assets/index-of-yesterday.js", 404, "application/problem+json"],
      ["/.env", 404, "application/problem+json"],
    ];
    for (const [path, status, type] of cases) {
      const answer = await curl(`${server.url}${path}`);
      assert.deepEqual([path, answer.status, answer.headers["content-type"]], [path, status, type]);
    }
  });

  test("gets the API's JSON above a kilobyte in gzip", async () => {
    const list = `${server.url}/api/v1/videos`;
    const plain = await curl(list);
    assert.ok(plain.body.length > 1024, `${plain.body.length} bytes`);
    assert.equal(plain.headers["content-encoding"], undefined);
    const zipped = await curl(...BROWSER, list);
    assert.equal(zipped.headers["content-encoding"], "gzip");
    assert.match(zipped.headers.vary, /accept-encoding/i);
    assert.deepEqual(JSON.parse(gunzipSync(zipped.body)), JSON.parse(plain.body));
    const small = await curl(...BROWSER, `${server.url}/api/v1/videos/aaaaaaaaaaaaaaaa`);
    assert.equal(small.headers["content-encoding"], undefined, "a problem of a few bytes");
  });

  test("gets events as they come, which no coding may hold back", async () => {
    const { headers } = await fetch(`${server.url}/api/v1/events`, {
      signal: AbortSignal.timeout(5000),
    });
    assert.equal(headers.get("content-type"), "text/event-stream");
    assert.equal(headers.get("content-encoding"), null);
  });
});
