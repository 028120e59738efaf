// Players that are no browsers: ffmpeg and VLC read the server's playlists.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { near, plannedFrames } from "../assertions.mjs";
import { clips } from "../clips.mjs";
import { decode } from "../ffmpeg.mjs";
import { startServer, uploadAll } from "../server.mjs";
import * as vlc from "../vlc.mjs";

// ffmpeg 5.1 reads no subtitles from HLS and warns of that.
const FFMPEG_LACKS = /^\[hls @ .*\] Can't support the subtitle/;

const all = await clips();

describe("a player reads", { concurrency: false }, () => {
  let server;
  let uploads;
  before(async () => {
    server = await startServer();
    uploads = uploadAll(server, all);
  });
  after(() => server?.stop());

  for (const clip of all) {
    describe(clip.name, { concurrency: true }, () => {
      let document;
      let planned;
      before(async () => {
        document = await uploads.get(clip);
        planned = clip.picture && plannedFrames(clip, document);
      });
      const count = (kind) => document.renditions.filter((it) => it.kind === kind).length;

      test("through ffmpeg, every variant by HLS", async () => {
        const result = await decode(server.url + document.playback.hls, ["0:v?", "0:a?"]);
        // A presentation of sound alone names its playlist as a variant and as its audio, as it must;
        // ffmpeg takes these for two.
        const sounds = clip.picture ? clip.sounds : clip.sounds * 2;
        assertWhole(result, { pictures: count("video"), sounds });
      });

      // Of several streams ffmpeg 5.1 reads none on once one of a DASH presentation has ended, and may
      // so lose the last frame of another: each is read by itself.
      test("through ffmpeg, every variant by DASH", async () => {
        const url = server.url + document.playback.dash;
        for (let at = 0; at < count("video"); at += 1) {
          assertWhole(await decode(url, [`0:v:${at}`]), { pictures: 1, sounds: 0 });
        }
        for (let at = 0; at < clip.sounds; at += 1) {
          assertWhole(await decode(url, [`0:a:${at}`]), { pictures: 0, sounds: 1 });
        }
      });

      function assertWhole({ code, complaints, pictures, sounds }, expected) {
        assert.deepEqual(
          complaints.filter((it) => !FFMPEG_LACKS.test(it)),
          [],
        );
        assert.equal(code, 0);
        assert.deepEqual({ pictures: pictures.length, sounds: sounds.length }, expected);
        for (const times of pictures) {
          const wrong = times.findIndex((time, at) => time !== at);
          assert.equal(wrong, -1, `frame ${wrong} stands at ${times[wrong]}`);
          assert.equal(times.length, planned);
        }
        for (const seconds of sounds) near(seconds, clip.seconds, 0.1, "sound");
      }

      test("through VLC to its end", async () => {
        const result = await vlc.play(server.url + document.playback.hls);
        assert.deepEqual(result.errors, []);
        assert.equal(result.code, 0);
        assert.ok(result.decodedSound > 0, "sound was decoded");
        if (clip.picture === null) return;
        // Its last report may be a tenth of a second older than its end.
        near(result.decoded, planned, 12, "decoded frames");
        assert.equal(result.lost, 0, "lost frames");
        // VLC never counts about 28 frames at the end, whatever it plays.
        assert.ok(result.displayed > planned / 2, `${result.displayed} of ${planned} displayed`);
      });
    });
  }
});
