import { expect, test } from "vitest";
import { decodeGrants } from "./grants.ts";

test("people are read by address or by account, and entries that name nobody are left out", () => {
  const created = "2026-01-02T03:04:05Z";
  const people = [
    { id: "a", email: "anna@example.org", user: null, created },
    { id: "b", email: null, user: { id: "u", name: "Bob" }, created },
    { id: "c", email: null, user: null, created },
    { id: 7, email: "anna@example.org" },
    "nobody",
  ];
  expect(decodeGrants({ people })).toEqual([
    { id: "a", email: "anna@example.org", user: null, created },
    { id: "b", email: null, user: { id: "u", name: "Bob" }, created },
  ]);
  expect(decodeGrants({ people: null })).toBeNull();
});
