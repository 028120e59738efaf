import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { decodeProblem, onSignInRequired, request } from "../api/request.ts";
import { signIn } from "../api/session.ts";
import { afterAnswer, personOf, SessionStore } from "./session.ts";

const ADA = { id: "u1", name: "Ada", email: "ada@example.org", role: "user" };

/** A server with one account, whose session the test ends and begins. */
let server: Server;
let signedIn: boolean;
let answered: string[];

beforeEach(async () => {
  signedIn = false;
  answered = [];
  server = createServer(async (asked, response) => {
    const line = `${asked.method} ${asked.url}`;
    for await (const _ of asked);
    if (line === "POST /api/v1/session") signedIn = true;
    const open = line.endsWith("/api/v1/session");
    response.writeHead(open || signedIn ? 200 : 401);
    answered.push(`${line} ${response.statusCode}`);
    if (response.statusCode === 401) response.end('{"code":"sign_in_required"}');
    else response.end(JSON.stringify({ accounts: "on", user: signedIn ? ADA : null }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // A page's addresses are those of its server; in Node there is no page.
  const { fetch } = globalThis;
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => fetch(base + path, init));
});

afterEach(() => {
  onSignInRequired(null);
  vi.unstubAllGlobals();
  server.close();
});

/** Resolves once a request waits for a sign-in. */
function wanted(store: SessionStore): Promise<void> {
  return new Promise((resolve) => {
    const stop = store.subscribe(() => {
      if (!store.snapshot().wanted) return;
      stop();
      resolve();
    });
  });
}

const edit = () =>
  request("/api/v1/videos/7f", { method: "PATCH", body: { title: "T" }, decode: () => true });

describe("a request whose session has ended", () => {
  test("goes on after the sign-in of the same person", async () => {
    const store = new SessionStore();
    store.enter({ ...ADA, role: "user" });
    onSignInRequired(store.renew);
    const asks = wanted(store);
    const outcome = edit();
    await asks;
    expect(personOf(store.snapshot().session)?.name).toBe("Ada");
    const entered = await signIn({ email: "ada@example.org", password: "correct horse" });
    if (entered.state === "ready") store.enter(entered.value);
    expect((await outcome).state).toBe("ready");
    expect(store.snapshot().wanted).toBe(false);
    expect(answered.at(-1)).toBe("PATCH /api/v1/videos/7f 200");
  });

  test("fails when another person signs in", async () => {
    const store = new SessionStore();
    store.enter({ ...ADA, id: "u2", role: "user" });
    onSignInRequired(store.renew);
    const asks = wanted(store);
    const outcome = edit();
    await asks;
    store.enter({ ...ADA, role: "user" });
    expect((await outcome).state).toBe("failed");
  });

  test("fails when nobody signs in", async () => {
    const store = new SessionStore();
    onSignInRequired(store.renew);
    const asks = wanted(store);
    const outcome = edit();
    await asks;
    store.dismiss();
    expect((await outcome).state).toBe("failed");
    expect(store.snapshot().wanted).toBe(false);
  });

  test("asks nobody when another request has brought the new session", async () => {
    const store = new SessionStore();
    onSignInRequired(async () => {
      signedIn = true;
      return store.renew();
    });
    expect((await edit()).state).toBe("ready");
    expect(store.snapshot().wanted).toBe(false);
  });
});

describe("the answer to the question for the session", () => {
  const failed = (status: number) =>
    afterAnswer({ state: "failed", problem: decodeProblem(status, null) });

  test("of a server without accounts, or older than they are, is off", () => {
    const value = {
      accounts: "off",
      firstAccount: false,
      signUp: "closed",
      mail: false,
      openid: false,
      user: null,
    } as const;
    expect(afterAnswer({ state: "ready", value })).toEqual({ state: "off" });
    expect(failed(404)).toEqual({ state: "off" });
  });

  test("is unknown when there is none", () => {
    expect(failed(0)).toEqual({ state: "unknown" });
    expect(failed(502)).toEqual({ state: "unknown" });
  });
});
