import { describe, expect, test } from "vitest";
import { decodePreferences } from "./preferences.ts";

const DEFAULTS = { volume: 1, muted: false, rate: 1 };

describe("what was stored is trusted as far as it makes sense", () => {
  test.each([
    ["nothing", null, DEFAULTS],
    [
      "all of it",
      '{"volume":0.4,"muted":true,"rate":1.5}',
      { volume: 0.4, muted: true, rate: 1.5 },
    ],
    ["no JSON", "{", DEFAULTS],
    ["null", "null", DEFAULTS],
    ["a volume that would throw", '{"volume":7}', DEFAULTS],
    ["a text for a number", '{"rate":"2"}', DEFAULTS],
  ])("%s", (_, stored, read) => expect(decodePreferences(stored)).toEqual(read));
});
