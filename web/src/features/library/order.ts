// The orders of a list, as the server has them: where an event's video belongs among those that are shown.

import type { Video } from "../../api/document.ts";
import type { Sort } from "../../api/videos.ts";

/** Returns how two videos follow each other: below zero where the first one comes first. */
export function compareBy(sort: Sort): (a: Video, b: Video) => number {
  switch (sort) {
    case "newest":
      return (a, b) => oldestFirst(b, a);
    case "oldest":
      return oldestFirst;
    case "title":
      return (a, b) => compare(titleKey(a), titleKey(b)) || oldestFirst(a, b);
    case "views":
      return (a, b) => b.views - a.views || oldestFirst(b, a);
    case "longest":
      return (a, b) => lengthOf(b) - lengthOf(a) || oldestFirst(b, a);
  }
}

function oldestFirst(a: Video, b: Video): number {
  return compare(moment(a), moment(b)) || compare(a.id, b.id);
}

// RFC 3339 times in UTC sort as text, to the microsecond that Date would drop, but only without the
// Z: the server leaves out a fraction's zeros, and a Z sorts after every digit and point.
function moment({ createdAt }: Video): string {
  return createdAt.replace(/Z$/, "");
}

// To the millisecond, as the server keeps it; 0 before the plan.
function lengthOf({ durationSeconds }: Video): number {
  return Math.trunc((durationSeconds ?? 0) * 1000);
}

/** Returns the title without case and accents, each number behind the count of its digits. */
function titleKey({ title }: Video): string {
  const folded = title.trim().normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return folded.replace(/\d+/g, (digits) => {
    const number = digits.replace(/^0+/, "");
    return `${Math.min(number.length, 9)}${number}`;
  });
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
