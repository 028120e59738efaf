// The answers themselves, as curl gets them.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { clip } from "./clips.mjs";
import { curl } from "./curl.mjs";
import { startServer, upload } from "./server.mjs";

describe("curl", { concurrency: false }, () => {
  let server;
  let base;
  let segment;
  before(async () => {
    server = await startServer();
    const { id } = await upload(server, await clip("mono-360p30.mp4"));
    base = `${server.url}/v/${id}`;
    segment = await curl(`${base}/360p/0.m4s`);
  });
  after(() => server?.stop());

  test("gets a segment that may be kept for ever", () => {
    assert.equal(segment.status, 200);
    assert.equal(segment.headers["content-type"], "video/mp4");
    assert.equal(segment.headers["cache-control"], "public, max-age=31536000, immutable");
    assert.match(segment.headers.etag, /^"[^"]+"$/, "a strong entity tag");
    assert.equal(segment.headers["accept-ranges"], "bytes");
    assert.equal(Number(segment.headers["content-length"]), segment.body.length);
    assert.equal(segment.headers["access-control-allow-origin"], "*");
    assert.ok(segment.body.length > 10_000);
  });

  test("gets the type of each file", async () => {
    const types = {
      "master.m3u8": "application/vnd.apple.mpegurl",
      "360p/media.m3u8": "application/vnd.apple.mpegurl",
      "360p/iframes.m3u8": "application/vnd.apple.mpegurl",
      "manifest.mpd": "application/dash+xml",
      "360p/init.mp4": "video/mp4",
      "audio/init.mp4": "audio/mp4",
      "audio/0.m4s": "audio/mp4",
      "poster.jpg": "image/jpeg",
    };
    for (const [file, type] of Object.entries(types)) {
      const { status, headers } = await curl(`${base}/${file}`);
      assert.deepEqual([file, status, headers["content-type"]], [file, 200, type]);
    }
  });

  test("gets exactly the bytes of a range", async () => {
    const cases = [
      ["0-99", 0, 100],
      ["1000-1999", 1000, 2000],
      ["-500", segment.body.length - 500, segment.body.length],
      [`${segment.body.length - 1}-`, segment.body.length - 1, segment.body.length],
    ];
    for (const [range, from, to] of cases) {
      const { status, headers, body } = await curl("-r", range, `${base}/360p/0.m4s`);
      assert.equal(status, 206, range);
      assert.equal(headers["content-range"], `bytes ${from}-${to - 1}/${segment.body.length}`);
      assert.ok(body.equals(segment.body.subarray(from, to)), `the bytes of ${range}`);
    }
  });

  test("gets 416 for a range past the end", async () => {
    const { status, headers } = await curl("-r", "99999999-", `${base}/360p/0.m4s`);
    assert.equal(status, 416);
    assert.equal(headers["content-range"], `bytes */${segment.body.length}`);
  });

  test("gets 304 for what it has", async () => {
    const tag = `If-None-Match: ${segment.headers.etag}`;
    const { status, headers, body } = await curl("-H", tag, `${base}/360p/0.m4s`);
    assert.equal(status, 304);
    assert.equal(headers.etag, segment.headers.etag);
    assert.equal(body.length, 0);
  });

  test("gets the whole for a range of another version", async () => {
    const old = ["-H", 'If-Range: "another"', "-r", "0-9"];
    const { status, body } = await curl(...old, `${base}/360p/0.m4s`);
    assert.equal(status, 200);
    assert.ok(body.equals(segment.body));
  });

  test("gets the head alone", async () => {
    const { status, headers, body } = await curl("-I", `${base}/360p/0.m4s`);
    assert.equal(status, 200);
    assert.equal(body.length, 0);
    for (const name of ["content-length", "content-type", "etag", "cache-control"]) {
      assert.equal(headers[name], segment.headers[name], name);
    }
  });

  test("gets a playlist in gzip, short-lived", async () => {
    const plain = await curl(`${base}/master.m3u8`);
    const zipped = await curl("-H", "Accept-Encoding: gzip", `${base}/master.m3u8`);
    assert.equal(zipped.headers["content-encoding"], "gzip");
    assert.match(zipped.headers.vary ?? "", /accept-encoding/i);
    assert.notEqual(zipped.headers.etag, plain.headers.etag, "two representations, two tags");
    assert.equal(gunzipSync(zipped.body).toString(), plain.body.toString());
    assert.equal(plain.headers["content-encoding"], undefined);
    const [, seconds] = /max-age=(\d+)/.exec(plain.headers["cache-control"]);
    assert.ok(Number(seconds) <= 10, plain.headers["cache-control"]);
  });

  test("gets 404 for what is missing", async () => {
    const cases = [
      [`${base}/360p/99.m4s`, "unknown_segment"],
      [`${server.url}/v/aaaaaaaaaaaaaaaa/master.m3u8`, "unknown_video"],
      [`${server.url}/v/aaaaaaaaaaaaaaaa/360p/0.m4s`, "unknown_video"],
      [`${server.url}/api/v1/videos/aaaaaaaaaaaaaaaa`, "unknown_video"],
    ];
    for (const [url, code] of cases) {
      const { status, headers, body } = await curl(url);
      assert.equal(status, 404, url);
      assert.equal(headers["content-type"], "application/problem+json", url);
      const problem = JSON.parse(body.toString());
      assert.equal(problem.code, code, url);
      assert.equal(problem.status, 404, url);
    }
  });
});
