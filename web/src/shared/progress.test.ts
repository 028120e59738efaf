import { describe, expect, test } from "vitest";
import refusals from "../../../packager/src/refusal.rs?raw";
import type { Rendition, Video } from "../api/document.ts";
import { decodeVideo } from "../api/document.ts";
import {
  encodedParts,
  pace,
  playback,
  progress,
  REFUSALS,
  renditionFraction,
  renditionLabel,
  retryHelps,
} from "./progress.ts";

const rendition = (change: Partial<Rendition>): Rendition => ({
  name: "720p",
  kind: "video",
  width: 1280,
  height: 720,
  frameRate: 25,
  bitrateBps: 2_000_000,
  language: null,
  label: null,
  segmentsPublished: 0,
  segmentsTotal: 10,
  publishedSeconds: [],
  listed: true,
  workers: 0,
  speed: null,
  secondsLeft: null,
  ...change,
});

function video(change: Partial<Video>): Video {
  const plain = decodeVideo({ id: "a", state: "ready" });
  if (plain === null) throw new Error("the plainest document decodes");
  return { ...plain, ...change };
}

describe("the progress of a video is", () => {
  test.each<[string, Partial<Video>, ReturnType<typeof progress>]>([
    [
      "an upload by its bytes",
      { state: "uploading", upload: { bytesStored: 250, bytesTotal: 1000 } },
      { label: "Uploading, 25 %", fraction: 0.25 },
    ],
    [
      "an upload whose size nobody knows",
      { state: "uploading", upload: null },
      { label: "Uploading", fraction: null },
    ],
    [
      "a place in the queue",
      { state: "uploaded", queuePosition: 3 },
      { label: "3 videos go first", fraction: null },
    ],
    [
      "the next one to be encoded",
      { state: "uploaded", queuePosition: 1 },
      { label: "1 video goes first", fraction: null },
    ],
    [
      "its turn, before the first segment",
      { state: "planned", renditions: [rendition({})] },
      { label: "Preparing", fraction: 0 },
    ],
    [
      "the segments of all renditions together",
      {
        state: "playable",
        renditions: [
          rendition({ segmentsPublished: 10 }),
          rendition({ name: "1080p", segmentsPublished: 2 }),
        ],
      },
      { label: "Encoding, 60 %", fraction: 0.6 },
    ],
    [
      "the time that is left, at the speed of all workers",
      {
        state: "playable",
        durationSeconds: 60,
        renditions: [
          rendition({ segmentsPublished: 5, speed: 2 }),
          rendition({ name: "1080p", segmentsPublished: 0, speed: 1 }),
        ],
      },
      { label: "Encoding, 25 %, 30 seconds left", fraction: 0.25 },
    ],
    ["nothing when it is ready", { state: "ready" }, null],
    ["nothing when it failed", { state: "failed" }, null],
  ])("%s", (_, change, expected) => expect(progress(video(change))).toEqual(expected));
});

test("a planned video has addresses, but does not play yet", () => {
  const addresses = {
    hls: "/v/a/master.m3u8",
    dash: "/v/a/manifest.mpd",
    ladder: "/v/a/ladder.m3u8",
  };
  expect(playback(video({ state: "planned", playback: addresses }))).toBeNull();
  expect(playback(video({ state: "playable", playback: addresses }))).toEqual(addresses);
  expect(playback(video({ state: "ready", playback: addresses }))).toEqual(addresses);
});

test("a rendition without segments is not complete, it is not planned yet", () => {
  expect(renditionFraction(rendition({ segmentsTotal: 0 }))).toBe(0);
});

test("sound goes by its label, then by its language", () => {
  expect(renditionLabel(rendition({ kind: "audio", label: "Director" }))).toBe("Audio: Director");
  expect(renditionLabel(rendition({ kind: "audio", language: "hr" }))).toBe("Audio: hr");
  expect(renditionLabel(rendition({ kind: "audio" }))).toBe("Audio");
  expect(renditionLabel(rendition({ kind: "audio", label: "Audio" }))).toBe("Audio");
});

test("what plays without a wait is what any listed picture has", () => {
  const renditions = [
    rendition({
      publishedSeconds: [
        [0, 12],
        [36, 42],
      ],
    }),
    rendition({ name: "480p", publishedSeconds: [[6, 24]] }),
    rendition({ name: "1080p", publishedSeconds: [[48, 60]], listed: false }),
    rendition({ name: "audio", kind: "audio", publishedSeconds: [[0, 60]] }),
  ];
  const encoding = video({ state: "playable", durationSeconds: 60, renditions });
  expect(encodedParts(encoding)).toEqual([
    { start: 0, end: 24 },
    { start: 36, end: 42 },
  ]);
  expect(encodedParts(video({ ...encoding, state: "ready" }))).toBeNull();
});

test("the pace of a rendition is read as a speed and a time", () => {
  expect(pace(rendition({ speed: 1.8, secondsLeft: 33 }))).toBe("1.8×, 40 seconds left");
  expect(pace(rendition({ workers: 1 }))).toBe("");
});

test("every refusal of the packager is known to end the same way again, but for a limit that may rise", () => {
  const codes = [...refusals.matchAll(/^ {12}Self::\w+.* => "(\w+)",$/gm)].map((it) => it[1]);
  expect(codes.filter((it) => it !== "quota_exceeded")).toEqual(REFUSALS);
  const failed = (code: string) => video({ state: "failed", error: { code, message: "" } });
  expect(retryHelps(failed("cut_off"))).toBe(false);
  expect(retryHelps(failed("quota_exceeded"))).toBe(true);
  expect(retryHelps(failed("encoding_failed"))).toBe(true);
});
