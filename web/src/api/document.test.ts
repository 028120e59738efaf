import { describe, expect, test } from "vitest";
import { decodeDeleted, decodePage, decodeVideo } from "./document.ts";

const DOCUMENT = {
  id: "7f3a",
  title: "The coast",
  description: "From a boat",
  state: "playable",
  error: null,
  duration_seconds: 30.5,
  notes: ["The recording was interrupted once; its two parts follow each other.", 7],
  renditions: [
    {
      name: "720p",
      kind: "video",
      width: 1280,
      height: 720,
      frame_rate: 29.97,
      bitrate_bps: 2_100_000,
      language: null,
      label: null,
      segments_published: 4,
      segments_total: 6,
      published_seconds: [[0, 2], ["x"]],
      listed: false,
      workers: 1,
      speed: 1.5,
      seconds_left: 16,
    },
  ],
  captions: [
    {
      id: "c1",
      name: "en",
      language: "en",
      label: null,
      origin: "machine",
      state: "running",
      message: null,
      listed: true,
      edited: false,
      seconds_done: 12.5,
      asked: { language: null, model: null, prompt: null, translate: false },
      machine: { model: "tiny", model_sha256: "ab", library: "clipcut 0.1.0" },
      files: { vtt: "/v/a.vtt", srt: "/v/a.srt", txt: "/v/a.txt", json: "/v/a.json" },
      revision: 3,
    },
    { id: "c2", origin: "nobody", state: "done" },
  ],
  playback: { hls: "/v/7f3a/master.m3u8", dash: "/v/7f3a/manifest.mpd" },
  poster: "/v/7f3a/poster.jpg",
  poster_small: "/v/7f3a/poster-640.jpg",
  upload: null,
  queue_position: null,
  created_at: "2026-03-10T12:00:00Z",
  tags: ["sand", 7],
  views: 3,
  revision: 2,
};

test("a whole document decodes, field by field", () => {
  expect(decodeVideo(DOCUMENT)).toEqual({
    id: "7f3a",
    title: "The coast",
    description: "From a boat",
    state: "playable",
    error: null,
    durationSeconds: 30.5,
    notes: ["The recording was interrupted once; its two parts follow each other."],
    renditions: [
      {
        name: "720p",
        kind: "video",
        width: 1280,
        height: 720,
        frameRate: 29.97,
        bitrateBps: 2_100_000,
        language: null,
        label: null,
        segmentsPublished: 4,
        segmentsTotal: 6,
        publishedSeconds: [[0, 2]],
        listed: false,
        workers: 1,
        speed: 1.5,
        secondsLeft: 16,
      },
    ],
    captions: [
      {
        id: "c1",
        name: "en",
        language: "en",
        label: null,
        origin: "machine",
        state: "running",
        message: null,
        listed: true,
        edited: false,
        translated: false,
        forced: false,
        secondsDone: 12.5,
        asked: { language: null, model: null, prompt: null, translate: false },
        machine: { model: "tiny", sha256: "ab", library: "clipcut 0.1.0" },
        files: { vtt: "/v/a.vtt", srt: "/v/a.srt", txt: "/v/a.txt", json: "/v/a.json" },
        revision: 3,
      },
    ],
    playback: {
      hls: "/v/7f3a/master.m3u8",
      dash: "/v/7f3a/manifest.mpd",
      ladder: "/v/7f3a/master.m3u8",
    },
    poster: "/v/7f3a/poster.jpg",
    posterSmall: "/v/7f3a/poster-640.jpg",
    upload: null,
    queuePosition: null,
    createdAt: "2026-03-10T12:00:00Z",
    owner: null,
    visibility: "public",
    mayEdit: true,
    sharedWithMe: false,
    tags: ["sand"],
    views: 3,
    revision: 2,
  });
});

test("with accounts a document has an owner, a visibility, and what this person may do", () => {
  const accounts = { owner: { id: "u1", name: "Ada" }, visibility: "unlisted", may_edit: false };
  const video = decodeVideo({ ...DOCUMENT, ...accounts });
  expect(video?.owner).toEqual({ id: "u1", name: "Ada" });
  expect(video?.visibility).toBe("unlisted");
  expect(video?.mayEdit).toBe(false);
});

test("the error and the upload of a document decode", () => {
  const video = decodeVideo({
    ...DOCUMENT,
    state: "failed",
    error: { code: "no_streams", message: "nothing to decode" },
    upload: { bytes_stored: 10, bytes_total: 20 },
  });
  expect(video?.error).toEqual({ code: "no_streams", message: "Nothing to decode" });
  expect(video?.upload).toEqual({ bytesStored: 10, bytesTotal: 20 });
});

describe("what is not a document of a video is refused", () => {
  test.each([
    ["null", null],
    ["a text", "7f3a"],
    ["no id", { ...DOCUMENT, id: undefined }],
    ["a state from the future", { ...DOCUMENT, state: "archived" }],
  ])("%s", (_, value) => expect(decodeVideo(value)).toBeNull());
});

test("a rendition of an unknown kind is left out, the video stays", () => {
  const [first] = DOCUMENT.renditions;
  const video = decodeVideo({ ...DOCUMENT, renditions: [{ ...first, kind: "smell" }, first] });
  expect(video?.renditions.map((it) => it.kind)).toEqual(["video"]);
});

test("a document of an older server has no notes", () => {
  expect(decodeVideo({ ...DOCUMENT, notes: undefined })?.notes).toEqual([]);
});

test("a page with one bad document keeps the others", () => {
  const page = decodePage({ videos: [{}, DOCUMENT], next: "c2" });
  expect(page?.videos.map((it) => it.id)).toEqual(["7f3a"]);
  expect(page?.next).toBe("c2");
  expect(decodePage({ videos: "none" })).toBeNull();
});

test("a deleted event names the video", () => {
  expect(decodeDeleted({ id: "7f3a" })).toBe("7f3a");
  expect(decodeDeleted([])).toBeNull();
});
