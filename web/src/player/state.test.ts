import { describe, expect, test } from "vitest";
import {
  languageName,
  offered,
  qualities,
  requestFailure,
  textTracks,
  tracks,
  variantLabel,
} from "./state.ts";

const variant = (uri: string, width: number, height: number, bitrate = 1_000_000) => ({
  uri,
  width,
  height,
  bitrate,
});

test("the quality menu lists the best first and keeps the engine's ids", () => {
  const variants = [
    variant("/v/7f/360p/media.m3u8", 640, 360),
    variant("/v/7f/720p/media.m3u8", 1280, 720),
    variant("/v/7f/1080p/media.m3u8", 1920, 1080),
  ];
  expect(qualities(variants)).toEqual([
    { id: 2, label: "1080p" },
    { id: 1, label: "720p" },
    { id: 0, label: "360p" },
  ]);
});

test("of two variants of one size the one with more bits comes first", () => {
  const variants = [variant("a/x/m", 640, 360, 500_000), variant("b/x/m", 640, 360, 900_000)];
  expect(qualities(variants).map((it) => it.id)).toEqual([1, 0]);
});

describe("a variant's label", () => {
  test.each([
    ["is the rendition's name", variant("https://h/v/7f/720p/media.m3u8", 1272, 714), "720p"],
    ["is found before a query", variant("/v/7f/720p/media.m3u8?a=/b/c", 1280, 720), "720p"],
    ["may carry the frame rate", variant("/v/7f/1080p60/media.m3u8", 1920, 1080), "1080p60"],
    ["is else the shorter side", variant("https://h/tall.m3u8", 1080, 1920), "1080p"],
    ["is at worst the bitrate", variant("https://h/x.m3u8", 0, 0, 128_000), "128 kbit/s"],
  ])("%s", (_, given, label) => expect(variantLabel(given)).toBe(label));
});

test("a track goes by its name, then its language, then its number", () => {
  const list = [{ name: "Director" }, { name: "", lang: "hr" }, { name: "" }];
  expect(tracks(list).map((it) => it.label)).toEqual(["Director", "Croatian", "Track 3"]);
});

test("captions go by the folder of their playlist", () => {
  const list = [
    { name: "English", url: "https://h/v/7f/captions/en/media.m3u8?x=1" },
    { name: "" },
  ];
  expect(textTracks(list)).toEqual([
    { id: "en", label: "English", language: "", forced: false },
    { id: "track-1", label: "Track 2", language: "", forced: false },
  ]);
});

test("captions that the playlist lacks are offered, and those that are gone are not", () => {
  const choice = (id: string, forced = false) => ({
    id,
    label: id.toUpperCase(),
    language: id,
    forced,
  });
  const loaded = [choice("en"), choice("de")];
  expect(offered(loaded, null)).toEqual(loaded);
  expect(offered(loaded, [choice("fr"), choice("de")])).toEqual([choice("de"), choice("fr")]);
  expect(offered([...loaded, choice("en-2", true)], null)).toEqual(loaded);
});

test("a language without a name keeps its tag", () => {
  expect(languageName("not a tag")).toBe("not a tag");
  expect(languageName(undefined)).toBe("");
});

describe("a request that failed for good is classified by its status", () => {
  test.each([
    [404, "missing"],
    [410, "missing"],
    [500, "network"],
    [0, "network"],
    [undefined, "network"],
  ] as const)("%s is %s", (status, kind) => expect(requestFailure(status).kind).toBe(kind));

  test("a 503 means that the encoder is behind", () => {
    expect(requestFailure(503).detail).toContain("encoded");
  });

  test("a status without an explanation is named", () => {
    expect(requestFailure(500).detail).toContain("500");
  });
});
