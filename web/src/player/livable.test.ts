import { expect, test } from "vitest";
import { livable } from "./livable.ts";

const LADDER = ["240p", "480p", "720p", "1080p"];

test("the range of qualities grows from the one that players begin on", () => {
  expect(livable(LADDER, ["480p"], 1)).toEqual({ from: 1, to: 1 });
  expect(livable(LADDER, ["480p", "720p"], 1)).toEqual({ from: 1, to: 2 });
  expect(livable(LADDER, ["240p", "480p", "1080p"], 1)).toEqual({ from: 0, to: 1 });
});

test("what is all listed, or not known, has no bounds", () => {
  expect(livable(LADDER, LADDER, 1)).toBeNull();
  expect(livable(LADDER, null, 1)).toBeNull();
});

test("the quality that players begin on is always in it", () => {
  expect(livable(LADDER, [], 1)).toEqual({ from: 1, to: 1 });
});
