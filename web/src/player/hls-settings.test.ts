import { expect, test } from "vitest";
import { retriesError } from "./hls-settings.ts";

const asks = (code: number, count: number, retry: boolean) =>
  retriesError(null, count, false, { url: "/v/7f/720p/3.m4s", code }, retry);

test("a server that restarts is asked again, though hls.js would not", () => {
  expect(asks(0, 0, false)).toBe(true);
});

test("what hls.js would repeat is repeated six times", () => {
  expect(asks(500, 5, true)).toBe(true);
  expect(asks(500, 6, true)).toBe(false);
  expect(asks(0, 6, false)).toBe(false);
});

test("what is not there is not asked for again", () => {
  expect(asks(404, 0, false)).toBe(false);
});
