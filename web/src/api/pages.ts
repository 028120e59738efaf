// Lists that the server gives in pages, read to their end: those of people and of what a person has made, which are short
// beside a library.

import { isObject, text } from "./json.ts";
import { type Outcome, request } from "./request.ts";

const PAGE = 100;
// Ten thousand entries: more than anybody reads, and an end where a server has none.
const MOST_PAGES = 100;

/** Reads all pages of the list at `path`. */
export async function allPages<T>(
  path: string,
  decode: (value: unknown) => T[] | null,
): Promise<Outcome<T[]>> {
  const entries: T[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const query: string = `limit=${PAGE}${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
    const page: Outcome<Part<T>> = await request(`${path}?${query}`, { decode: partOf(decode) });
    if (page.state === "failed") return page;
    entries.push(...page.value.entries);
    cursor = page.value.next;
    if (cursor === null) break;
  }
  return { state: "ready", value: entries };
}

interface Part<T> {
  entries: T[];
  next: string | null;
}

function partOf<T>(decode: (value: unknown) => T[] | null) {
  return (value: unknown): Part<T> | null => {
    const entries = decode(value);
    if (entries === null || !isObject(value)) return null;
    return { entries, next: text(value.next) };
  };
}
