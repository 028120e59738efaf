import { describe, expect, test } from "vitest";
import { skipOf } from "./taps.ts";

describe("two taps skip", () => {
  test.each([
    ["forward on the right", { at: 0, x: 0.9 }, { at: 200, x: 0.8 }, 10],
    ["back on the left", { at: 0, x: 0.1 }, { at: 200, x: 0.2 }, -10],
    ["nothing in the middle", { at: 0, x: 0.5 }, { at: 200, x: 0.5 }, 0],
    ["nothing from one side to the other", { at: 0, x: 0.1 }, { at: 200, x: 0.9 }, 0],
    ["nothing when they are apart", { at: 0, x: 0.9 }, { at: 301, x: 0.9 }, 0],
    ["nothing when there was none before", null, { at: 200, x: 0.9 }, 0],
  ])("%s", (_, previous, tap, seconds) => expect(skipOf(previous, tap)).toBe(seconds));
});
