// The session of this page: who is signed in, and the sign-in that requests wait for once it has ended. Lives beside
// React, because requests and uploads need it too.

import { useSyncExternalStore } from "react";
import { type Outcome, onSignInRequired } from "../api/request.ts";
import { type Session, type SignUp, showSession, type User } from "../api/session.ts";

export type SessionState =
  | { state: "loading" }
  /** The server gave no answer; the page shows what it can. */
  | { state: "unknown" }
  /** There are no accounts: everybody may do everything. */
  | { state: "off" }
  | {
      state: "on";
      firstAccount: boolean;
      signUp: SignUp;
      /** A forgotten password has a link sent. */
      mail: boolean;
      /** There is an OpenID provider to sign in by. */
      openid: boolean;
      user: User | null;
    };

export interface SessionSnapshot {
  session: SessionState;
  /** A request waits for a sign-in. */
  wanted: boolean;
}

export class SessionStore {
  #snapshot: SessionSnapshot = { session: { state: "loading" }, wanted: false };
  #renewal: { promise: Promise<boolean>; settle: (done: boolean) => void } | null = null;
  readonly #listeners = new Set<() => void>();

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): SessionSnapshot => this.#snapshot;

  async load() {
    this.#change({ session: afterAnswer(await showSession()) });
  }

  /** Returns once the person has signed in, whether they have: the request that was refused may then go out again. */
  readonly renew = async (): Promise<boolean> => {
    if (this.#renewal !== null) return this.#renewal.promise;
    // Of requests that were refused together, a late one finds that another has brought the new session.
    const now = afterAnswer(await showSession());
    if (now.state !== "on") return false;
    if (now.user !== null) return this.#enter(now.user);
    if (this.#renewal === null) {
      const { promise, resolve } = withResolver();
      this.#renewal = { promise, settle: resolve };
      // The person of the ended session stays: to forget them would take away the page that they were writing on.
      const user = personOf(this.#snapshot.session);
      this.#change({ session: { ...now, user }, wanted: true });
    }
    return this.#renewal.promise;
  };

  /** Takes the person who has signed in or up, or has changed their profile. */
  enter(user: User) {
    this.#settle(this.#enter(user));
  }

  /** Lets the requests that wait for a sign-in fail. */
  readonly dismiss = () => this.#settle(false);

  /** Returns whether it is the same person, who may go on. */
  #enter(user: User): boolean {
    const before = this.#snapshot.session;
    const site =
      before.state === "on" ? before : { signUp: "closed" as const, mail: false, openid: false };
    const { signUp, mail, openid } = site;
    this.#change({ session: { state: "on", firstAccount: false, signUp, mail, openid, user } });
    const previous = personOf(before);
    return previous === null || previous.id === user.id;
  }

  #settle(done: boolean) {
    this.#renewal?.settle(done);
    this.#renewal = null;
    if (this.#snapshot.wanted) this.#change({ wanted: false });
  }

  #change(change: Partial<SessionSnapshot>) {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Returns what an answer to the question for the session means. */
export function afterAnswer(outcome: Outcome<Session>): SessionState {
  if (outcome.state === "failed") {
    // A server from before there were accounts.
    return { state: outcome.problem.status === 404 ? "off" : "unknown" };
  }
  const { accounts, ...site } = outcome.value;
  return accounts === "off" ? { state: "off" } : { state: "on", ...site };
}

/** The page's own. */
export const session = new SessionStore();

const ASK_AGAIN_MS = 3000;

/** Asks for the session, and again until the server says who this is. */
export function startSession() {
  onSignInRequired(session.renew);
  const ask = async () => {
    await session.load();
    if (session.snapshot().session.state === "unknown") window.setTimeout(ask, ASK_AGAIN_MS);
  };
  void ask();
}

export function useSession(): SessionState {
  return useSyncExternalStore(session.subscribe, () => session.snapshot().session);
}

export function useSignInWanted(): boolean {
  return useSyncExternalStore(session.subscribe, () => session.snapshot().wanted);
}

export function personOf(state: SessionState): User | null {
  return state.state === "on" ? state.user : null;
}

function withResolver() {
  let resolve: (done: boolean) => void = () => {};
  const promise = new Promise<boolean>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
