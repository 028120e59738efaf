import { describe, expect, test } from "vitest";
import { decodePreferences } from "./preferences.ts";

const DEFAULTS = { volume: 1, muted: false, rate: 1, captions: null, lineBps: null };
const CAPTIONS = { on: true, id: "en", language: "en" };

describe("what was stored is trusted as far as it makes sense", () => {
  test.each([
    ["nothing", null, DEFAULTS],
    [
      "all of it",
      JSON.stringify({ volume: 0.4, muted: true, rate: 1.5, captions: CAPTIONS, lineBps: 2e6 }),
      { volume: 0.4, muted: true, rate: 1.5, captions: CAPTIONS, lineBps: 2e6 },
    ],
    ["no JSON", "{", DEFAULTS],
    ["null", "null", DEFAULTS],
    ["a volume that would throw", '{"volume":7}', DEFAULTS],
    ["a text for a number", '{"rate":"2"}', DEFAULTS],
    ["captions neither on nor off", '{"captions":{"id":"en"}}', DEFAULTS],
    ["a line of no bits", '{"lineBps":0}', DEFAULTS],
  ])("%s", (_, stored, read) => expect(decodePreferences(stored)).toEqual(read));
});
