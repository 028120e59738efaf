import { expect, test } from "vitest";
import { startLevel } from "./start-level.ts";

const LADDER = [400_000, 1_200_000, 3_000_000, 6_000_000];

test.each([
  ["an unknown line gets the smallest", null, 0],
  ["a line of 1 Mbit/s", 1_000_000, 0],
  ["a line that is slower than all", 100_000, 0],
  ["a line of 2 Mbit/s", 2_000_000, 1],
  ["a line of 10 Mbit/s", 10_000_000, 3],
])("%s", (_, line, level) => expect(startLevel(LADDER, line)).toBe(level));
