// The links that open one video to everybody who has them.

import { isDocument, list, text } from "./json.ts";
import { allPages } from "./pages.ts";
import { type Outcome, request } from "./request.ts";
import type * as Schema from "./schema.ts";
import { videoPath } from "./videos.ts";

export interface Share {
  id: string;
  /** A path of this server. */
  link: string;
  created: string;
  /** Null: until it is ended. */
  expires: string | null;
}

export function listShares(video: string): Promise<Outcome<Share[]>> {
  return allPages(sharesPath(video), decodeShares);
}

export function addShare(video: string, expires: string | null): Promise<Outcome<Share>> {
  const body: Schema.NewShare = expires === null ? {} : { expires };
  return request(sharesPath(video), { method: "POST", body, decode: decodeShare });
}

export function endShare(video: string, share: string): Promise<Outcome<true>> {
  const path = `${sharesPath(video)}/${encodeURIComponent(share)}`;
  return request(path, { method: "DELETE", decode: () => true });
}

export function decodeShares(value: unknown): Share[] | null {
  if (!isDocument<Schema.ShareList>(value) || !Array.isArray(value.shares)) return null;
  return list(value.shares)
    .map(decodeShare)
    .filter((it) => it !== null);
}

function decodeShare(value: unknown): Share | null {
  if (
    !isDocument<Schema.Share>(value) ||
    typeof value.id !== "string" ||
    typeof value.link !== "string"
  ) {
    return null;
  }
  return {
    id: value.id,
    link: value.link,
    created: text(value.created) ?? "",
    expires: text(value.expires),
  };
}

function sharesPath(video: string): string {
  return `${videoPath(video)}/shares`;
}
