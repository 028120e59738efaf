import { describe, expect, test } from "vitest";
import {
  decodeRoute,
  keyOf,
  nextPath,
  searchPath,
  signInPath,
  sortedPath,
  sortOf,
  startOf,
  tagOf,
  tagPath,
  watchPath,
  wordsOf,
} from "./route.ts";

describe("a path is one page", () => {
  test.each([
    ["/", { page: "library" }],
    ["/watch/7f3a", { page: "watch", id: "7f3a" }],
    ["/watch/7f3a/", { page: "watch", id: "7f3a" }],
    ["/account", { page: "account" }],
    ["/people/", { page: "people" }],
    ["/forgotten", { page: "forgotten" }],
    ["/new-address", { page: "new-address" }],
    ["/account/7f3a", { page: "unknown" }],
    ["/search", { page: "search" }],
    ["/search/a", { page: "unknown" }],
    ["/watch", { page: "unknown" }],
    ["/watch/a/b", { page: "unknown" }],
    ["/elsewhere/7f3a", { page: "unknown" }],
    ["/watch/%E0%A4%A", { page: "unknown" }],
  ])("%s", (path, route) => expect(decodeRoute(path)).toEqual(route));
});

test("an id survives the way into an address and back", () => {
  expect(decodeRoute(watchPath("a/b %c"))).toEqual({ page: "watch", id: "a/b %c" });
});

describe("a sign-in comes back", () => {
  test.each([
    ["/watch/7f3a?t=12", "/watch/7f3a?t=12"],
    ["/account", "/account"],
    ["/", "/"],
    ["/sign-in", "/"],
    ["/sign-up", "/"],
  ])("to %s", (from, to) => {
    const { search } = new URL(signInPath(from), "http://localhost");
    expect(nextPath(search)).toBe(to);
  });

  test.each([
    "https://example.org/",
    "//example.org/account",
    "/\\example.org/account",
    "javascript:alert(1)",
    "/elsewhere",
    "/sign-in",
  ])("and never to %s", (next) => {
    expect(nextPath(`?${new URLSearchParams({ next })}`)).toBe("/");
  });
});

test("a link's key is the first account's or an invitation's", () => {
  expect(keyOf("?first=a")).toBe("a");
  expect(keyOf("?invitation=b")).toBe("b");
  expect(keyOf("?next=/account")).toBeNull();
});

describe("an address keeps a moment", () => {
  test.each([
    [12.9, 12],
    [0, 0],
    [3600, 3600],
  ])("of %s seconds", (seconds, expected) => {
    const { search } = new URL(watchPath("7f3a", seconds), "http://localhost");
    expect(startOf(search)).toBe(expected);
  });

  test.each(["", "?t=", "?t=-5", "?t=soon", "?t=Infinity"])("and %s is the start", (query) => {
    expect(startOf(query)).toBe(0);
  });
});

test("words survive the way into an address and back", () => {
  const { pathname, search } = new URL(searchPath("a & b + ü ?"), "http://localhost");
  expect(pathname).toBe("/search");
  expect(wordsOf(search)).toBe("a & b + ü ?");
});

test("a tag survives the way into an address and back, and none is all videos", () => {
  const { pathname, search } = new URL(tagPath("a & b + ü ?"), "http://localhost");
  expect(pathname).toBe("/");
  expect(tagOf(search)).toBe("a & b + ü ?");
  expect([tagOf(""), tagOf("?tag=")]).toEqual([null, null]);
});

test("the order of a list stands in its address, but for the usual one", () => {
  expect(sortOf("?sort=title")).toBe("title");
  expect(sortOf("?sort=tomorrow")).toBe("newest");
  expect(sortedPath("/", "", "views")).toBe("/?sort=views");
  expect(sortedPath("/", "?tag=a+b&sort=title", "oldest")).toBe("/?tag=a+b&sort=oldest");
  expect(sortedPath("/mine", "?sort=views", "newest")).toBe("/mine");
});
