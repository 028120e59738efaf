// Search, as the origin answers it: videos, and the moments in which the words are said.

import { decodeVideo, type Video } from "./document.ts";
import { isDocument, list, number, text } from "./json.ts";
import { type Outcome, request } from "./request.ts";
import type * as Schema from "./schema.ts";

export interface Hit {
  language: string | null;
  startSeconds: number;
  text: string;
}

export interface Found {
  video: Video;
  /** The first cues in which all words are said. */
  hits: Hit[];
  hitsTotal: number;
}

export interface Results {
  found: Found[];
  next: string | null;
}

export interface SearchQuery {
  words: string;
  cursor: string | null;
}

export function search({ words, cursor }: SearchQuery): Promise<Outcome<Results>> {
  const query = new URLSearchParams({ q: words });
  if (cursor !== null) query.set("cursor", cursor);
  return request(`/api/v1/search?${query}`, { decode: decodeResults });
}

/** Returns one page of results; one that cannot be decoded is left out, not the page. */
export function decodeResults(value: unknown): Results | null {
  if (!isDocument<Schema.SearchPage>(value) || !Array.isArray(value.results)) return null;
  return {
    found: value.results.map(decodeFound).filter((it) => it !== null),
    next: text(value.next),
  };
}

function decodeFound(value: unknown): Found | null {
  if (!isDocument<Schema.SearchResult>(value)) return null;
  const video = decodeVideo(value.video);
  if (video === null) return null;
  const hits = list(value.hits)
    .map(decodeHit)
    .filter((it) => it !== null);
  return { video, hits, hitsTotal: number(value.hits_total) ?? hits.length };
}

function decodeHit(value: unknown): Hit | null {
  if (!isDocument<Schema.SearchHit>(value)) return null;
  const startSeconds = number(value.start_seconds);
  const words = text(value.text);
  if (startSeconds === null || words === null) return null;
  return { language: text(value.language), startSeconds, text: words };
}
