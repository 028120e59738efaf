// The library's calls, one function each.

import {
  decodePage,
  decodeVideo,
  type Video,
  type VideoPage,
  type Visibility,
} from "./document.ts";
import { type Outcome, request } from "./request.ts";
import type * as Schema from "./schema.ts";

const ROOT = "/api/v1/videos";

/** The videos of a list: all that this person may see there, their own, or those that others share with them. */
export type Collected = "all" | "own" | "shared";

/** The orders of a list. */
export const SORTS = ["newest", "oldest", "title", "views", "longest"] as const;

export type Sort = (typeof SORTS)[number];

export interface PageQuery {
  collected: Collected;
  /** The one tag that they have; null: any or none. */
  tag: string | null;
  sort: Sort;
  limit: number;
  cursor: string | null;
  signal?: AbortSignal;
}

/** The videos of a first page. */
export const PAGE = 24;

// The list of the page's own address, on its way before the first render.
let earlyList: { path: string; outcome: Promise<Outcome<VideoPage>> } | null = null;

/** Requests a list, which the next `listVideos` takes too. */
export function requestListEarly(page: PageQuery) {
  earlyList = { path: listPath(page), outcome: listVideos(page) };
}

export function listVideos(page: PageQuery): Promise<Outcome<VideoPage>> {
  const path = listPath(page);
  const found = earlyList;
  earlyList = null;
  if (found?.path === path) return found.outcome;
  return request(path, { decode: decodePage, ...(page.signal && { signal: page.signal }) });
}

function listPath({ collected, tag, sort, limit, cursor }: PageQuery): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (collected === "own") query.set("owner", "me");
  if (collected === "shared") query.set("shared", "me");
  if (tag !== null) query.set("tag", tag);
  if (sort !== "newest") query.set("sort", sort);
  if (cursor !== null) query.set("cursor", cursor);
  return `${ROOT}?${query}`;
}

// The document of the page's own video, on its way before the code that shows it.
let early: { id: string; outcome: Promise<Outcome<Video>> } | null = null;

/** Requests a video's document, which the next `showVideo` takes too. */
export function requestEarly(id: string): Promise<Outcome<Video>> {
  const outcome = showVideo(id);
  early = { id, outcome };
  return outcome;
}

export function showVideo(id: string, signal?: AbortSignal): Promise<Outcome<Video>> {
  const found = early;
  early = null;
  if (found?.id === id) return found.outcome;
  return request(sharedPath(videoPath(id)), { decode: decodeVideo, ...(signal && { signal }) });
}

export interface Edit {
  title: string;
  description: string;
  tags: string[];
  /** Only where there are accounts. */
  visibility?: Visibility;
}

/** Edits a video as it was at `revision`; fails with 412 where somebody has edited it since. */
export function editVideo(id: string, edit: Edit, revision: number): Promise<Outcome<Video>> {
  const ifMatch = `"${revision}"`;
  return request(videoPath(id), {
    method: "PATCH",
    body: edit satisfies Schema.VideoChanges,
    ifMatch,
    decode: decodeVideo,
  });
}

/** Says that somebody watches the video. */
export function countView(id: string): Promise<Outcome<true>> {
  return request(sharedPath(`${videoPath(id)}/views`), { method: "POST", decode: () => true });
}

/** Deletes the video with everything that was made from it. */
export function deleteVideo(id: string): Promise<Outcome<true>> {
  return request(videoPath(id), { method: "DELETE", decode: () => true });
}

/** Puts a failed video back into the queue. */
export function retryVideo(id: string): Promise<Outcome<Video>> {
  return request(`${videoPath(id)}/retry`, { method: "POST", decode: decodeVideo });
}

/** Ends the work on a video, which can be tried again then. */
export function cancelVideo(id: string): Promise<Outcome<Video>> {
  return request(`${videoPath(id)}/cancel`, { method: "POST", decode: decodeVideo });
}

export function videoPath(id: string): string {
  return `${ROOT}/${encodeURIComponent(id)}`;
}

/** Adds the key of the share link that this page was opened by, if it was: it opens what a stranger may not see. */
export function sharedPath(path: string): string {
  const share = shareKey(window.location.search);
  return share === null ? path : `${path}?${new URLSearchParams({ share })}`;
}

/** Returns the key of a share link in the address of a watch page. */
export function shareKey(query: string): string | null {
  return new URLSearchParams(query).get("share");
}
