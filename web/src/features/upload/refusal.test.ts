import { describe, expect, test } from "vitest";
import { decodeProblem } from "../../api/request.ts";
import { refusal, refusalOf, retriesByItself } from "./refusal.ts";

test("a lost connection goes on by itself once it is back", () => {
  expect(refusal(new Error("tus: failed to upload chunk"))).toMatchObject({
    retriable: true,
    offline: true,
  });
});

describe("an answer decides whether the same file may be tried again", () => {
  test.each([
    [401, true],
    [409, true],
    [413, false],
    [415, false],
    [423, true],
    [500, true],
    [507, true],
  ])("%s", (status, retriable) => {
    expect(refusalOf(decodeProblem(status, null)).retriable).toBe(retriable);
  });
});

test("a server that a proxy stands in for comes back by itself, one that fails does not", () => {
  for (const status of [502, 503, 504]) {
    expect(refusalOf(decodeProblem(status, null))).toMatchObject({
      offline: true,
      retriable: true,
    });
  }
  expect(refusalOf(decodeProblem(500, null)).offline).toBe(false);
});

test("the server's own words are shown", () => {
  const problem = decodeProblem(413, { detail: "a video may hold at most 20 GiB" });
  expect(refusalOf(problem).message).toBe("A video may hold at most 20 GiB");
});

describe("tus-js-client repeats by itself what passes by itself", () => {
  test.each([
    [0, true],
    [423, true],
    [503, true],
    [507, false],
    [413, false],
    [404, false],
  ])("%s", (status, again) => expect(retriesByItself(status)).toBe(again));
});

test("an ended session is named, and the upload may go on after a sign-in", () => {
  const { message, signIn } = refusalOf(decodeProblem(401, null));
  expect(signIn).toBe(true);
  expect(message).toBe("Sign in to go on with this upload.");
  expect(refusalOf(decodeProblem(403, null)).signIn).toBe(false);
});
