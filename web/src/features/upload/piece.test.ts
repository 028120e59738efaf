import { expect, test } from "vitest";
import { nextPieceBytes, pieceLimitBytes } from "./piece.ts";

test("each refusal halves the pieces at least, and ends", () => {
  const sizes: number[] = [];
  let size: number | null = Number.POSITIVE_INFINITY;
  while (size !== null) {
    size = nextPieceBytes(size);
    if (size !== null) sizes.push(size);
  }
  expect(sizes).toEqual([50_000_000, 8_000_000, 1_000_000, 250_000]);
});

test("a server's limit is read from among its others", () => {
  expect(pieceLimitBytes("max-append-size=1000")).toBe(1000);
  expect(pieceLimitBytes("max-size=5, max-append-size=70, min-size=1")).toBe(70);
  for (const none of [undefined, "", "max-size=5", "max-append-size=0", "max-append-size=x"]) {
    expect(pieceLimitBytes(none)).toBeNull();
  }
});
