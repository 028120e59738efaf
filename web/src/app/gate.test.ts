import { describe, expect, test } from "vitest";
import type { Role, SignUp } from "../api/session.ts";
import { decodeRoute } from "../shared/route.ts";
import type { SessionState } from "../shared/session.ts";
import { gateOf } from "./gate.ts";

const NO_SIGNS = { hasKey: false, wanted: false };

const gate = (path: string, state: SessionState, signs = NO_SIGNS) =>
  gateOf(decodeRoute(path), state, signs);

const stranger = (signUp: SignUp, firstAccount = false): SessionState => ({
  state: "on",
  firstAccount,
  signUp,
  mail: false,
  openid: false,
  user: null,
});

const person = (role: Role): SessionState => ({
  state: "on",
  firstAccount: false,
  signUp: "closed",
  mail: false,
  openid: false,
  user: { id: "u1", name: "Ada", email: "ada@example.org", role },
});

describe("without accounts", () => {
  test.each(["/", "/watch/7f3a", "/?first=k"])("%s is as it always was", (path) => {
    const [bare = ""] = path.split("?");
    expect(gate(bare, { state: "off" })).toBe("open");
    expect(gate(bare, { state: "off" }, { hasKey: true, wanted: false })).toBe("open");
  });

  test.each(["/sign-in", "/sign-up", "/mine", "/account", "/people"])("%s is no page", (path) => {
    expect(gate(path, { state: "off" })).toBe("unknown");
  });
});

describe("before the session is known", () => {
  test.each(["/", "/watch/7f3a"])("%s is there at once", (path) => {
    expect(gate(path, { state: "loading" })).toBe("open");
  });

  test("what depends on it waits", () => {
    expect(gate("/account", { state: "loading" })).toBe("wait");
    expect(gate("/", { state: "loading" }, { hasKey: true, wanted: false })).toBe("wait");
  });
});

describe("while the server does not say who this is", () => {
  test.each(["/", "/watch/7f3a", "/search"])("%s shows what it can", (path) => {
    expect(gate(path, { state: "unknown" })).toBe("open");
  });

  test.each(["/account", "/people", "/sign-in"])("%s is not called unknown", (path) => {
    expect(gate(path, { state: "unknown" })).toBe("unreachable");
  });
});

describe("a stranger", () => {
  test.each([
    ["/", "open"],
    ["/watch/7f3a", "open"],
    ["/sign-in", "sign-in"],
    ["/sign-up", "sign-up-closed"],
    ["/forgotten", "open"],
    ["/mine", "sign-in-first"],
    ["/account", "sign-in-first"],
    ["/people", "sign-in-first"],
    ["/jobs", "sign-in-first"],
  ])("at %s sees %s", (path, seen) => expect(gate(path, stranger("closed"))).toBe(seen));

  test("makes the first account wherever they come", () => {
    for (const path of ["/", "/watch/7f3a", "/account"]) {
      expect(gate(path, stranger("closed", true))).toBe("first-account");
    }
  });

  test("signs up where all may, or by a link", () => {
    expect(gate("/sign-up", stranger("open"))).toBe("sign-up");
    expect(gate("/new-address", stranger("closed"))).toBe("open");
    expect(gate("/", stranger("invitation"), { hasKey: true, wanted: false })).toBe("sign-up");
  });

  test("signs in first where the server asks for it", () => {
    expect(gate("/", stranger("closed"), { hasKey: false, wanted: true })).toBe("sign-in-first");
  });
});

describe("somebody who is signed in", () => {
  test.each([
    ["/", "open"],
    ["/mine", "open"],
    ["/account", "open"],
    ["/people", "forbidden"],
    ["/jobs", "forbidden"],
    ["/sign-in", "done"],
    ["/sign-up", "done"],
  ])("at %s sees %s", (path, seen) => expect(gate(path, person("user"))).toBe(seen));

  test("keeps the page while a request waits for a new session", () => {
    const signs = { hasKey: false, wanted: true };
    expect(gate("/watch/7f3a", person("user"), signs)).toBe("open");
  });

  test("administers people as an administrator", () => {
    expect(gate("/people", person("administrator"))).toBe("open");
  });
});
