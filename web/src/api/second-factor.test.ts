import { expect, test } from "vitest";
import { decodeNewSecondFactor, decodeRecoveryCodes, decodeSecondFactor } from "./second-factor.ts";

test("a second factor is on or off, with the codes that are left", () => {
  expect(decodeSecondFactor({ on: true, recovery_codes_left: 9 })).toEqual({
    on: true,
    recoveryCodesLeft: 9,
  });
  expect(decodeSecondFactor({})).toBeNull();
});

test("a new one is nothing without its secret and its picture", () => {
  const qr = { size: 21, path: "M0 0h1v1h-1z" };
  expect(decodeNewSecondFactor({ secret: "ABC", uri: "", qr })).toEqual({
    secret: "ABC",
    picture: qr,
  });
  expect(decodeNewSecondFactor({ secret: "ABC" })).toBeNull();
  expect(decodeNewSecondFactor({ qr })).toBeNull();
  expect(decodeRecoveryCodes({ recovery_codes: ["a", 1] })).toEqual(["a"]);
  expect(decodeRecoveryCodes({})).toBeNull();
});
