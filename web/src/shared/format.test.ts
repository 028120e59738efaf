import { describe, expect, test } from "vitest";
import {
  age,
  bytes,
  clock,
  daysFrom,
  percent,
  remaining,
  speed,
  spokenTime,
  until,
  viewCount,
} from "./format.ts";

describe("a time reads as on a clock", () => {
  test.each([
    [0, "0:00"],
    [9.99, "0:09"],
    [61, "1:01"],
    [3599.9, "59:59"],
    [3600, "1:00:00"],
    [36_061, "10:01:01"],
    [Number.NaN, "0:00"],
    [Number.POSITIVE_INFINITY, "0:00"],
    [-3, "0:00"],
  ])("%s s is %s", (seconds, text) => expect(clock(seconds)).toBe(text));
});

describe("a time is spoken in words", () => {
  test.each([
    [0, "0 seconds"],
    [1, "1 second"],
    [62, "1 minute 2 seconds"],
    [3600, "1 hour"],
    [7325, "2 hours 2 minutes 5 seconds"],
  ])("%s s is %s", (seconds, text) => expect(spokenTime(seconds)).toBe(text));
});

describe("a size has three digits at most and the unit that suits it", () => {
  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [1_234_567, "1.2 MB"],
    [99_400_000, "99.4 MB"],
    [150_000_000, "150 MB"],
    [999_600_000, "1.0 GB"],
    [21_474_836_480, "21.5 GB"],
  ])("%s is %s", (count, text) => expect(bytes(count)).toBe(text));
});

test("a speed is a size per second", () => {
  expect(speed(2_500_000)).toBe("2.5 MB/s");
});

describe("the remaining time is coarse", () => {
  test.each([
    [3, "a few seconds left"],
    [21, "30 seconds left"],
    [61, "2 minutes left"],
    [3601, "2 hours left"],
    [Number.POSITIVE_INFINITY, ""],
  ])("%s s is “%s”", (seconds, text) => expect(remaining(seconds)).toBe(text));
});

test("nothing is complete before it is", () => {
  expect(percent(0.999)).toBe("99 %");
  expect(percent(1)).toBe("100 %");
  expect(percent(1.2)).toBe("100 %");
});

describe("an age is in its largest unit", () => {
  const now = Date.parse("2026-03-10T12:00:00Z");
  test.each([
    ["2026-03-10T11:59:30Z", "just now"],
    ["2026-03-10T11:58:00Z", "2 minutes ago"],
    ["2026-03-09T12:00:00Z", "yesterday"],
    ["2025-03-01T12:00:00Z", "last year"],
    // A clock that runs ahead must not bring videos from the future.
    ["2026-03-10T12:00:05Z", "just now"],
    ["not a time", ""],
  ])("%s is “%s”", (time, text) => expect(age(time, now)).toBe(text));
});

describe("a time to come is counted down", () => {
  const now = Date.parse("2026-03-10T12:00:00Z");
  test.each([
    ["2026-03-17T12:00:01Z", "in 7 days"],
    ["2026-03-17T11:59:50Z", "in 7 days"],
    ["2026-03-10T13:00:00Z", "in 1 hour"],
    ["2026-03-10T12:00:30Z", "in less than a minute"],
    ["2026-03-10T11:00:00Z", "now"],
    ["soon", ""],
  ])("%s is %s", (time, text) => expect(until(time, now)).toBe(text));

  test("and reckoned in whole days", () => {
    expect(daysFrom(now, 30)).toBe("2026-04-09T12:00:00.000Z");
  });
});

test("views are counted in words, and none is nothing", () => {
  expect([0, 1, 2, 12_345].map(viewCount)).toEqual(["", "1 view", "2 views", "12,345 views"]);
});
