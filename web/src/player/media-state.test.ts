import { describe, expect, test } from "vitest";
import { MEDIA_EVENTS, type MediaView } from "./media-state.ts";
import type { PlayerState } from "./state.ts";

const buffered = (...spans: [number, number][]): TimeRanges => ({
  length: spans.length,
  start: (at) => spans[at]?.[0] ?? Number.NaN,
  end: (at) => spans[at]?.[1] ?? Number.NaN,
});

const media = (change: Partial<MediaView>): MediaView => ({
  buffered: buffered(),
  currentTime: 0,
  duration: Number.NaN,
  ended: false,
  muted: false,
  playbackRate: 1,
  readyState: 4,
  videoWidth: 1280,
  volume: 1,
  ...change,
});

describe("an event of the media element changes the state", () => {
  test.each<[string, string, Partial<MediaView>, Partial<PlayerState>]>([
    ["playback begins", "play", {}, { playing: true, ended: false, blocked: false }],
    ["playback stops", "pause", {}, { playing: false }],
    ["the end is no buffering", "ended", {}, { playing: false, ended: true, buffering: false }],
    [
      "time goes on",
      "timeupdate",
      { currentTime: 7.5, buffered: buffered([0, 12], [18, 24]) },
      {
        seconds: 7.5,
        buffered: [
          { start: 0, end: 12 },
          { start: 18, end: 24 },
        ],
      },
    ],
    ["an element without a source has no time", "timeupdate", { readyState: 0 }, { buffered: [] }],
    ["data is missing", "waiting", {}, { buffering: true }],
    ["data is back", "canplay", { readyState: 3 }, { buffering: false }],
    [
      "a seek lands outside of the data",
      "seeked",
      { currentTime: 20, readyState: 1 },
      { seconds: 20, buffered: [], buffering: true },
    ],
    ["a duration becomes known", "durationchange", { duration: 30 }, { duration: 30 }],
    ["a duration is not known yet", "durationchange", {}, {}],
    ["there is a picture", "loadedmetadata", {}, { soundOnly: false }],
    ["there is only sound", "loadedmetadata", { videoWidth: 0 }, { soundOnly: true }],
    ["it is muted", "volumechange", { volume: 0.3, muted: true }, { volume: 0.3, muted: true }],
    ["it goes faster", "ratechange", { playbackRate: 1.5 }, { rate: 1.5 }],
  ])("%s", (_, event, view, change) => {
    expect(MEDIA_EVENTS[event]?.(media(view))).toEqual(change);
  });
});
