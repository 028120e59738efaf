import { describe, expect, test } from "vitest";
import { type ItemState, nextToStart } from "./queue.ts";

describe("two uploads run at once, in the order in which they came", () => {
  test.each<[string, ItemState[], number[]]>([
    ["both places are free", ["waiting", "waiting", "waiting"], [0, 1]],
    ["one place is free", ["uploading", "waiting", "waiting"], [1]],
    ["no place is free", ["uploading", "uploading", "waiting"], []],
    ["a paused one gives its place away", ["paused", "uploading", "waiting"], [2]],
    ["neither failed nor sent ones take a place", ["failed", "sent", "waiting", "waiting"], [2, 3]],
    ["nothing waits", ["sent"], []],
  ])("%s", (_, states, keys) => {
    const items = states.map((state, key) => ({ key, state }));
    expect(nextToStart(items, 2)).toEqual(keys);
  });
});
