import { describe, expect, test } from "vitest";
import { parts } from "./marks.ts";

const marked = (text: string, words: string) =>
  parts(text, words)
    .map((it) => (it.marked ? `[${it.text}]` : it.text))
    .join("");

describe("what a search has found is marked", () => {
  test.each([
    ["Look at the Dunes", "dune", "Look at the [Dunes]"],
    ["Crème brûlée", "BRULEE creme", "[Crème] [brûlée]"],
    ["Große Straße", "strasse", "Große [Straße]"],
    ["東京都に行きます", "京都", "東[京都]に行きます"],
    ["<b>dunes</b>", "dunes", "<b>[dunes]</b>"],
    ["ab a", "a", "ab [a]"],
    ["nothing", "(", "nothing"],
    ["nothing", "", "nothing"],
    ["", "word", ""],
  ])("in %s by %s", (text, words, expected) => expect(marked(text, words)).toBe(expected));
});

test("no part of the text is lost", () => {
  const text = "One two, three: two.";
  expect(
    parts(text, "two")
      .map((it) => it.text)
      .join(""),
  ).toBe(text);
});
