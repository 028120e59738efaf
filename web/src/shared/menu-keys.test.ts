import { describe, expect, test } from "vitest";
import { destination } from "./menu-keys.ts";

describe("the arrows go around a menu of four entries", () => {
  test.each([
    ["ArrowDown", 0, 1],
    ["ArrowDown", 3, 0],
    ["ArrowUp", 0, 3],
    ["ArrowUp", -1, 3],
    ["ArrowDown", -1, 0],
    ["Home", 2, 0],
    ["End", 1, 3],
    ["Enter", 1, null],
  ] as const)("%s from %s", (key, at, target) => expect(destination(key, at, 4)).toBe(target));
});
