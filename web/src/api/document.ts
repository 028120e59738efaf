// The document of a video as the origin sends it, decoded once at this border so that no screen
// has to doubt a field.

import { type Captions, decodeCaptions } from "./caption-document.ts";
import { isDocument, isObject, list, message, number, text } from "./json.ts";
import type * as Schema from "./schema.ts";

export type VideoState = Schema.Video["state"];

export type Visibility = Schema.Video["visibility"];

export type RenditionKind = Schema.Rendition["kind"];

export interface Rendition {
  name: string;
  kind: RenditionKind;
  width: number | null;
  height: number | null;
  frameRate: number | null;
  bitrateBps: number | null;
  language: string | null;
  label: string | null;
  segmentsPublished: number;
  segmentsTotal: number;
  /** While it is encoded: the seconds at which each published range begins and ends. */
  publishedSeconds: [number, number][];
  /** The playlists list it: players begin on it or can live on it. */
  listed: boolean;
  /** Workers that encode it now. */
  workers: number;
  /** Seconds of it that they make in a second; null until that is known. */
  speed: number | null;
  /** Seconds until it is whole, at that speed. */
  secondsLeft: number | null;
}

export interface Video {
  id: string;
  title: string;
  description: string;
  tags: string[];
  /** How many people have watched it, each counted once a day. */
  views: number;
  /** The number of edits so far. */
  revision: number;
  state: VideoState;
  error: { code: string; message: string } | null;
  durationSeconds: number | null;
  /** Sentences about parts of the file that were left out, mended or lost. */
  notes: string[];
  renditions: Rendition[];
  captions: Captions[];
  playback: { hls: string; dash: string; ladder: string } | null;
  poster: string | null;
  /** The same picture, at most 640 pixels wide. */
  posterSmall: string | null;
  upload: { bytesStored: number; bytesTotal: number } | null;
  queuePosition: number | null;
  createdAt: string;
  /** Null without accounts, and of a video that is nobody's. */
  owner: { id: string; name: string } | null;
  visibility: Visibility;
  /** The person of this page may change and delete it; without accounts everybody may. */
  mayEdit: boolean;
  /** Another person shares it with the one of this page. */
  sharedWithMe: boolean;
}

export interface VideoPage {
  videos: Video[];
  next: string | null;
}

const STATES: readonly string[] = [
  "uploading",
  "uploaded",
  "planned",
  "playable",
  "ready",
  "failed",
] satisfies VideoState[];

/** Returns the video, or null when the value is not a document of one. */
export function decodeVideo(value: unknown): Video | null {
  if (!isDocument<Schema.Video>(value) || typeof value.id !== "string") return null;
  if (typeof value.state !== "string" || !STATES.includes(value.state)) return null;
  return {
    id: value.id,
    title: text(value.title) ?? "",
    description: text(value.description) ?? "",
    tags: list(value.tags)
      .map(text)
      .filter((it) => it !== null),
    views: number(value.views) ?? 0,
    revision: number(value.revision) ?? 0,
    state: value.state as VideoState,
    error: decodeError(value.error),
    durationSeconds: number(value.duration_seconds),
    notes: list(value.notes)
      .map(text)
      .filter((it) => it !== null),
    renditions: list(value.renditions)
      .map(decodeRendition)
      .filter((it) => it !== null),
    captions: list(value.captions)
      .map(decodeCaptions)
      .filter((it) => it !== null),
    playback: decodePlayback(value.playback),
    poster: text(value.poster),
    posterSmall: text(value.poster_small),
    upload: decodeUpload(value.upload),
    queuePosition: number(value.queue_position),
    createdAt: text(value.created_at) ?? "",
    owner: decodeOwner(value.owner),
    visibility: decodeVisibility(value.visibility),
    mayEdit: value.may_edit !== false,
    sharedWithMe: value.shared_with_me === true,
  };
}

/** Returns one page of the library; a video that cannot be decoded is left out, not the page. */
export function decodePage(value: unknown): VideoPage | null {
  if (!isDocument<Schema.VideoPage>(value) || !Array.isArray(value.videos)) return null;
  return {
    videos: value.videos.map(decodeVideo).filter((it) => it !== null),
    next: text(value.next),
  };
}

/** Returns the id that a `deleted` event names. */
export function decodeDeleted(value: unknown): string | null {
  return isObject(value) ? text(value.id) : null;
}

function decodeRendition(value: unknown): Rendition | null {
  if (!isDocument<Schema.Rendition>(value) || typeof value.name !== "string") return null;
  const { kind } = value;
  if (kind !== "video" && kind !== "audio") return null;
  return {
    name: value.name,
    kind,
    width: number(value.width),
    height: number(value.height),
    frameRate: number(value.frame_rate),
    bitrateBps: number(value.bitrate_bps),
    language: text(value.language),
    label: text(value.label),
    segmentsPublished: number(value.segments_published) ?? 0,
    segmentsTotal: number(value.segments_total) ?? 0,
    publishedSeconds: list(value.published_seconds)
      .map(decodeRange)
      .filter((it) => it !== null),
    listed: value.listed !== false,
    workers: number(value.workers) ?? 0,
    speed: number(value.speed),
    secondsLeft: number(value.seconds_left),
  };
}

function decodeRange(value: unknown): [number, number] | null {
  const [first, last] = list(value).map(number);
  return first == null || last == null ? null : [first, last];
}

function decodeError(value: unknown): Video["error"] {
  if (!isDocument<Schema.VideoFailure>(value)) return null;
  const words = message(value.message);
  return words === null ? null : { code: text(value.code) ?? "unknown", message: words };
}

function decodePlayback(value: unknown): Video["playback"] {
  if (!isDocument<Schema.PlaybackUrls>(value)) return null;
  const hls = text(value.hls);
  const dash = text(value.dash);
  if (hls === null || dash === null) return null;
  return { hls, dash, ladder: text(value.ladder) ?? hls };
}

function decodeOwner(value: unknown): Video["owner"] {
  if (!isDocument<Schema.VideoOwner>(value) || typeof value.id !== "string") return null;
  return { id: value.id, name: text(value.name) ?? "" };
}

function decodeVisibility(value: unknown): Visibility {
  return value === "unlisted" || value === "private" ? value : "public";
}

function decodeUpload(value: unknown): Video["upload"] {
  if (!isDocument<Schema.StoredUpload>(value)) return null;
  const bytesStored = number(value.bytes_stored);
  const bytesTotal = number(value.bytes_total);
  return bytesStored === null || bytesTotal === null ? null : { bytesStored, bytesTotal };
}
