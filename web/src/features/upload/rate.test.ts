import { expect, test } from "vitest";
import { Rate } from "./rate.ts";

function fed(...samples: [atMs: number, bytes: number][]): Rate {
  const rate = new Rate();
  for (const [at, bytes] of samples) rate.add(bytes, at);
  return rate;
}

test("there is no rate before there are two samples", () => {
  expect(fed().bytesPerSecond()).toBeNull();
  expect(fed([0, 1000]).bytesPerSecond()).toBeNull();
  expect(fed([0, 0], [100, 9000]).bytesPerSecond()).toBeNull();
});

test("a steady upload has its speed", () => {
  expect(fed([0, 0], [1000, 500], [2000, 1000]).bytesPerSecond()).toBe(500);
});

test("the speed of long ago is forgotten", () => {
  const rate = fed([0, 0], [1000, 1_000_000], [60_000, 1_000_100], [61_000, 1_000_200]);
  rate.add(1_000_700, 66_000);
  expect(rate.bytesPerSecond()).toBe(100);
});

test("a request repeated from the stored offset starts the count anew", () => {
  const rate = fed([0, 0], [1000, 9000], [2000, 4000]);
  expect(rate.bytesPerSecond()).toBeNull();
  rate.add(5000, 3000);
  expect(rate.bytesPerSecond()).toBe(1000);
});
