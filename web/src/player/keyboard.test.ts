import { describe, expect, test } from "vitest";
import { type Command, command, nextRate, type Press } from "./keyboard.ts";

const press = (key: string, held: Partial<Press> = {}): Press => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  ...held,
});

describe("a key has its meaning", () => {
  test.each<[string, Command | null]>([
    [" ", { do: "toggle" }],
    ["k", { do: "toggle" }],
    ["K", { do: "toggle" }],
    ["j", { do: "seek-by", seconds: -10 }],
    ["l", { do: "seek-by", seconds: 10 }],
    ["ArrowLeft", { do: "seek-by", seconds: -5 }],
    ["ArrowRight", { do: "seek-by", seconds: 5 }],
    ["ArrowUp", { do: "volume-by", step: 0.05 }],
    ["ArrowDown", { do: "volume-by", step: -0.05 }],
    ["0", { do: "seek-to", fraction: 0 }],
    ["7", { do: "seek-to", fraction: 0.7 }],
    ["<", { do: "rate-by", step: -1 }],
    [">", { do: "rate-by", step: 1 }],
    ["m", { do: "mute" }],
    ["f", { do: "fullscreen" }],
    ["c", { do: "captions" }],
    ["?", { do: "help" }],
    ["x", null],
    ["Tab", null],
    ["F5", null],
  ])("%s", (key, wish) => expect(command(press(key))).toEqual(wish));
});

test("the browser's own shortcuts stay the browser's", () => {
  expect(command(press("f", { ctrlKey: true }))).toBeNull();
  expect(command(press("l", { metaKey: true }))).toBeNull();
  expect(command(press("ArrowLeft", { altKey: true }))).toBeNull();
});

test("the speed moves by one step and stops at the ends", () => {
  expect(nextRate(1, 1)).toBe(1.25);
  expect(nextRate(1, -1)).toBe(0.75);
  expect(nextRate(2, 1)).toBe(2);
  expect(nextRate(0.5, -1)).toBe(0.5);
  // A rate from elsewhere finds back onto the steps.
  expect(nextRate(1.1, 1)).toBe(1.25);
});
