import { expect, test } from "vitest";
import { decodePoster } from "./poster.ts";

test("a poster is ready, on its way, or failed with a reason", () => {
  const decoded = (state: unknown, error: unknown = null) =>
    decodePoster({ kind: "frame", at_seconds: 1.5, state, error });
  expect(decoded("ready")).toEqual({ state: "ready" });
  expect(decoded("waiting")).toEqual({ state: "waiting" });
  const error = { code: "unreadable_image", message: "No." };
  expect(decoded("failed", error)).toEqual({ state: "failed", message: "No." });
  expect(decoded("failed")).toMatchObject({ message: expect.stringContaining("poster") });
  expect(decoded("tomorrow")).toBeNull();
  expect(decodePoster(null)).toBeNull();
});
