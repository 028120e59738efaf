import { expect, test } from "vitest";
import { providerTrouble } from "./provider-words.ts";

test("what went wrong at the provider is said in words, also what is new", () => {
  expect(providerTrouble("")).toBeNull();
  expect(providerTrouble("?provider=disabled")).toMatch(/may not sign in/);
  expect(providerTrouble("?provider=toString")).toMatch(/failed/);
});
