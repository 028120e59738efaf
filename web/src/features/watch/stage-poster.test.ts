import { expect, test } from "vitest";
import { stagePoster } from "./stage-poster.ts";

const both = { poster: "large", posterSmall: "small" };

test("a phone gets the small poster, and so does a slow line", () => {
  const phone = { pixels: 412 * 1.75, lineBps: null };
  expect(stagePoster(both, phone)).toBe("small");
  expect(stagePoster(both, { pixels: 2560, lineBps: 1_000_000 })).toBe("small");
  expect(stagePoster(both, { pixels: 2560, lineBps: 10_000_000 })).toBe("large");
  expect(stagePoster(both, { pixels: 2560, lineBps: null })).toBe("large");
});

test("a server of before has one poster, and sound has none", () => {
  const phone = { pixels: 412, lineBps: null };
  expect(stagePoster({ poster: "large", posterSmall: null }, phone)).toBe("large");
  expect(stagePoster({ poster: null, posterSmall: null }, phone)).toBeNull();
});
