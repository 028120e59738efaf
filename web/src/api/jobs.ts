// The queue of work: an administrator's calls.

import { decodePage, type Video } from "./document.ts";
import { isDocument, list, number, text } from "./json.ts";
import { type Outcome, request } from "./request.ts";
import type * as Schema from "./schema.ts";

export interface Job {
  video: { id: string; title: string };
  /** `prepare`, `video`, `audio`, `captions` and so on. */
  kind: string;
  running: boolean;
  /** The renditions of a run, or the caption track. */
  tracks: string[];
  firstSegment: number;
  segmentsTotal: number;
  segmentsPublished: number;
  segmentsPerMinute: number | null;
  attempts: number;
  queuedAt: string;
  worker: string | null;
  since: string | null;
}

export interface Queue {
  waiting: number;
  running: number;
  /** Those that run, then those that wait, the most urgent first; the latter may be cut short. */
  jobs: Job[];
}

const SHOWN = 50;

export function showQueue(): Promise<Outcome<Queue>> {
  return request(`/api/v1/jobs?limit=${SHOWN}`, { decode: decodeQueue });
}

export function listFailed(): Promise<Outcome<Video[]>> {
  return request(`/api/v1/videos?state=failed&limit=${SHOWN}`, {
    decode: (value) => decodePage(value)?.videos ?? null,
  });
}

export function decodeQueue(value: unknown): Queue | null {
  if (!isDocument<Schema.JobList>(value) || !Array.isArray(value.jobs)) return null;
  const counted = (state: string) =>
    list(value.counts)
      .filter((it) => isDocument<Schema.JobCount>(it))
      .filter((it) => it.state === state)
      .reduce((sum, it) => sum + (number(it.jobs) ?? 0), 0);
  return {
    waiting: counted("waiting"),
    running: counted("running"),
    jobs: list(value.jobs)
      .map(decodeJob)
      .filter((it) => it !== null),
  };
}

function decodeJob(value: unknown): Job | null {
  if (
    !isDocument<Schema.Job>(value) ||
    !isDocument<Schema.JobVideo>(value.video) ||
    typeof value.video.id !== "string"
  )
    return null;
  return {
    video: { id: value.video.id, title: text(value.video.title) ?? "" },
    kind: text(value.kind) ?? "",
    running: value.state === "running",
    tracks: list(value.tracks).filter((it) => typeof it === "string"),
    firstSegment: number(value.first_segment) ?? 0,
    segmentsTotal: number(value.segments_total) ?? 0,
    segmentsPublished: number(value.segments_published) ?? 0,
    segmentsPerMinute: number(value.segments_per_minute),
    attempts: number(value.attempts) ?? 0,
    queuedAt: text(value.queued_at) ?? "",
    worker: text(value.worker),
    since: text(value.since),
  };
}
