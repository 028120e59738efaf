// Every address of the front end, both ways: from a path to a route and back.

export type Route =
  | { page: "library" }
  | { page: "search" }
  | { page: "watch"; id: string }
  | { page: "unknown" };

export const LIBRARY = "/";

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

/** Returns the words that the address of a search has. */
export function wordsOf(query: string): string {
  return new URLSearchParams(query).get("q") ?? "";
}

export function decodeRoute(path: string): Route {
  const parts = path.split("/").filter((it) => it !== "");
  if (parts.length === 0) return { page: "library" };
  const [head, id] = parts;
  if (parts.length === 1 && head === "search") return { page: "search" };
  if (parts.length !== 2 || head !== "watch" || id === undefined) return { page: "unknown" };
  try {
    return { page: "watch", id: decodeURIComponent(id) };
  } catch {
    // A stray percent sign is a mistyped address, not a crash.
    return { page: "unknown" };
  }
}
