// Every address of the front end, both ways: from a path to a route and back.

export type Route = { page: "library" } | { page: "watch"; id: string } | { page: "unknown" };

export const LIBRARY = "/";

export function watchPath(id: string): string {
  return `/watch/${encodeURIComponent(id)}`;
}

export function decodeRoute(path: string): Route {
  const parts = path.split("/").filter((it) => it !== "");
  if (parts.length === 0) return { page: "library" };
  const [head, id] = parts;
  if (parts.length !== 2 || head !== "watch" || id === undefined) return { page: "unknown" };
  try {
    return { page: "watch", id: decodeURIComponent(id) };
  } catch {
    // A stray percent sign is a mistyped address, not a crash.
    return { page: "unknown" };
  }
}
