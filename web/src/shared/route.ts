// Every address of the front end, both ways: from a path to a route and back.

import { SORTS, type Sort } from "../api/videos.ts";

/** The pages that need nobody's id; `clipcut/src/front_end.rs` knows them too. */
const ALONE = [
  "search",
  "sign-in",
  "sign-up",
  "forgotten",
  "new-address",
  "mine",
  "shared",
  "account",
  "people",
  "jobs",
] as const;

/** Those of them that lead to a session, or are there without one: nobody comes back to them from a sign-in. */
const WITHOUT_SESSION: readonly Route["page"][] = [
  "sign-in",
  "sign-up",
  "forgotten",
  "new-address",
];

/** Those of them that are there with accounts alone. */
export const OF_ACCOUNTS: readonly Route["page"][] = ALONE.filter((page) => page !== "search");

export type Route =
  | { page: "library" }
  | { page: "watch"; id: string }
  | { page: (typeof ALONE)[number] }
  | { page: "unknown" };

export const LIBRARY = "/";
export const SIGN_UP = "/sign-up";
export const FORGOTTEN = "/forgotten";
export const MINE = "/mine";
export const SHARED = "/shared";
export const ACCOUNT = "/account";
export const PEOPLE = "/people";
export const JOBS = "/jobs";

const SIGN_IN = "/sign-in";

/** Returns the address of a video, or of a moment in it. */
export function watchPath(id: string, seconds?: number): string {
  const path = `/watch/${encodeURIComponent(id)}`;
  return seconds === undefined ? path : `${path}?t=${Math.floor(seconds)}`;
}

/** Returns the moment at which the address has a video begin. */
export function startOf(query: string): number {
  const seconds = Number(new URLSearchParams(query).get("t") ?? "0");
  return Number.isFinite(seconds) && seconds > 0 ? seconds : 0;
}

export function searchPath(words: string): string {
  return `/search?${new URLSearchParams({ q: words })}`;
}

/** Returns the address of the videos with a tag. */
export function tagPath(tag: string): string {
  return `${LIBRARY}?${new URLSearchParams({ tag })}`;
}

/** Returns the tag that the address of the library has; null for all videos. */
export function tagOf(query: string): string | null {
  const tag = new URLSearchParams(query).get("tag");
  return tag === "" ? null : tag;
}

/** Returns the order that the address of a list has; the newest first where it names none. */
export function sortOf(query: string): Sort {
  const word = new URLSearchParams(query).get("sort");
  return SORTS.find((it) => it === word) ?? "newest";
}

/** Returns the address of the same list in another order. */
export function sortedPath(path: string, query: string, sort: Sort): string {
  const parameters = new URLSearchParams(query);
  if (sort === "newest") parameters.delete("sort");
  else parameters.set("sort", sort);
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}

/** Returns the words that the address of a search has. */
export function wordsOf(query: string): string {
  return new URLSearchParams(query).get("q") ?? "";
}

/** Returns the address of the sign-in that comes back to `path`. */
export function signInPath(path: string): string {
  if (path === LIBRARY || path.startsWith(SIGN_IN) || path.startsWith(SIGN_UP)) return SIGN_IN;
  return `${SIGN_IN}?${new URLSearchParams({ next: path })}`;
}

/** Returns the page to go to after a sign-in: of this site, whatever the address says. */
export function nextPath(query: string): string {
  const next = new URLSearchParams(query).get("next") ?? LIBRARY;
  // "//example.org" and "/\example.org" are other sites' addresses.
  if (!/^\/(?![/\\])/.test(next)) return LIBRARY;
  const { page } = decodeRoute(next.split(/[?#]/)[0] ?? "");
  return page === "unknown" || WITHOUT_SESSION.includes(page) ? LIBRARY : next;
}

/** Returns the key of a link that was given to somebody without an account; null when the address has none. */
export function keyOf(query: string): string | null {
  const given = new URLSearchParams(query);
  return given.get("first") ?? given.get("invitation");
}

/** Returns the key of a link that a mail has brought; null when the address has none. */
export function mailKeyOf(query: string): string | null {
  return new URLSearchParams(query).get("key");
}

export function decodeRoute(path: string): Route {
  const parts = path.split("/").filter((it) => it !== "");
  if (parts.length === 0) return { page: "library" };
  const [head, id] = parts;
  const alone = ALONE.find((it) => it === head);
  if (parts.length === 1 && alone !== undefined) return { page: alone };
  if (parts.length !== 2 || head !== "watch" || id === undefined) return { page: "unknown" };
  try {
    return { page: "watch", id: decodeURIComponent(id) };
  } catch {
    // A stray percent sign is a mistyped address, not a crash.
    return { page: "unknown" };
  }
}
