import { expect, test } from "vitest";
import { hasTag, readTags, writeTags } from "./tags.ts";

test("a line of tags is parted at commas, and written as it is read", () => {
  const tags = readTags(" sand dunes,, Sea ,");
  expect(tags).toEqual(["sand dunes", "Sea"]);
  expect(readTags(writeTags(tags))).toEqual(tags);
  expect(readTags(" ")).toEqual([]);
});

test("tags are equal whatever their case and form", () => {
  expect(hasTag(["Cafe\u0301", "Ｓand"], "CAFÉ")).toBe(true);
  expect(hasTag(["Cafe\u0301", "Ｓand"], "sand ")).toBe(true);
  expect(hasTag(["sand"], "san")).toBe(false);
});
