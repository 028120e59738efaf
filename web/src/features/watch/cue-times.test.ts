import { expect, test } from "vitest";
import { cueAt, readTime, timeText } from "./cue-times.ts";

const cue = (start: number, end: number) => ({ number: start, start, end, text: "x" });

test("the cue at a time is the last one that has begun", () => {
  const cues = [cue(1, 2), cue(2, 3), cue(10, 12)];
  const places = [0, 1, 1.9, 2, 5, 10, 99].map((it) => cueAt(cues, it));
  expect(places).toEqual([-1, 0, 0, 1, 1, 2, 2]);
  expect(cueAt([], 3)).toBe(-1);
});

test("times are written and read with their thousandths", () => {
  for (const seconds of [0, 1.5, 62.5, 3602.001, 36000]) {
    expect(readTime(timeText(seconds))).toBe(seconds);
  }
  expect(timeText(62.5)).toBe("1:02.500");
  expect(timeText(59.9996)).toBe("1:00.000");
});

test("malformed times are refused", () => {
  expect(readTime("2,5")).toBe(2.5);
  for (const typed of ["", "x", "1:60", "1:2:3:4", "-1", "1.5:00"]) {
    expect(readTime(typed)).toBeNull();
  }
});
