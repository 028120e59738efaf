import { expect, test } from "vitest";
import { decodeNewToken, decodeSessions, decodeTokens } from "./account.ts";
import { decodeInvitations, decodeNewInvitation, decodePeople } from "./people.ts";
import { decodeSession } from "./session.ts";
import { decodeShares } from "./shares.ts";
import { shareKey } from "./videos.ts";

const ADA = { id: "u1", name: "Ada", email: "ada@example.org", role: "administrator" };

test("a session has its person, or nobody", () => {
  const document = { accounts: "on", first_account: true, sign_up: "open", user: null };
  expect(decodeSession(document)).toEqual({
    accounts: "on",
    firstAccount: true,
    signUp: "open",
    mail: false,
    openid: false,
    user: null,
  });
  expect(decodeSession({ ...document, user: ADA })?.user).toEqual(ADA);
  expect(decodeSession({ ...document, accounts: "maybe" })).toBeNull();
  expect(decodeSession("<html>")).toBeNull();
});

test("what a later server may add gives nobody more rights here", () => {
  const document = { accounts: "on", sign_up: "lottery", user: { ...ADA, role: "emperor" } };
  expect(decodeSession(document)).toMatchObject({ signUp: "closed", user: { role: "user" } });
});

test("sessions decode, and bad ones are left out", () => {
  const one = { id: "s1", created: "c", last_seen: "l", user_agent: "curl/8", current: true };
  expect(decodeSessions({ sessions: [one, {}] })).toEqual([
    { id: "s1", created: "c", lastSeen: "l", userAgent: "curl/8", current: true },
  ]);
  expect(decodeSessions([])).toBeNull();
});

test("a token shows its secret once", () => {
  const one = { id: "t1", name: "CI", scopes: ["read", "fly"], created: "c", expires: null };
  const decoded = {
    id: "t1",
    name: "CI",
    scopes: ["read"],
    created: "c",
    expires: null,
    lastUsed: null,
  };
  expect(decodeTokens({ tokens: [one] })).toEqual([decoded]);
  expect(decodeNewToken({ ...one, token: "cc_1" })).toEqual({ ...decoded, secret: "cc_1" });
  expect(decodeNewToken(one)).toBeNull();
});

test("people and invitations decode", () => {
  const people = decodePeople({
    users: [{ ...ADA, created: "c", disabled: true, quota_bytes: 7 }],
  });
  expect(people).toEqual([
    { ...ADA, created: "c", disabled: true, quotaBytes: 7, quotaMinutes: null },
  ]);
  const invitation = { id: "i1", email: null, created: "c", expires: "e" };
  expect(decodeInvitations({ invitations: [invitation] })).toEqual([invitation]);
  const link = "/?invitation=k";
  expect(decodeNewInvitation({ ...invitation, link })).toEqual({ ...invitation, link });
  // One that was sent by mail shows no link.
  expect(decodeNewInvitation({ ...invitation, link: null })?.link).toBeNull();
});

test("a share without its link is none", () => {
  const share = { id: "h1", link: "/watch/7f?share=k", created: "c", expires: null };
  expect(decodeShares({ shares: [share, { ...share, link: null }] })).toEqual([share]);
});

test("a watch page knows the link that it was opened by", () => {
  expect(shareKey("?share=abc&t=3")).toBe("abc");
  expect(shareKey("")).toBeNull();
});
