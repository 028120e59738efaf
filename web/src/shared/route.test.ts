import { describe, expect, test } from "vitest";
import { decodeRoute, watchPath } from "./route.ts";

describe("a path is one page", () => {
  test.each([
    ["/", { page: "library" }],
    ["/watch/7f3a", { page: "watch", id: "7f3a" }],
    ["/watch/7f3a/", { page: "watch", id: "7f3a" }],
    ["/watch", { page: "unknown" }],
    ["/watch/a/b", { page: "unknown" }],
    ["/elsewhere/7f3a", { page: "unknown" }],
    ["/watch/%E0%A4%A", { page: "unknown" }],
  ])("%s", (path, route) => expect(decodeRoute(path)).toEqual(route));
});

test("an id survives the way into an address and back", () => {
  expect(decodeRoute(watchPath("a/b %c"))).toEqual({ page: "watch", id: "a/b %c" });
});
