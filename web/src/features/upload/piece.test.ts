import { expect, test } from "vitest";
import { nextPieceBytes } from "./piece.ts";

test("each refusal halves the pieces at least, and ends", () => {
  const sizes: number[] = [];
  let size: number | null = Number.POSITIVE_INFINITY;
  while (size !== null) {
    size = nextPieceBytes(size);
    if (size !== null) sizes.push(size);
  }
  expect(sizes).toEqual([50_000_000, 8_000_000, 1_000_000, 250_000]);
});
