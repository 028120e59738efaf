// A job in words.

import type { Job } from "../../api/jobs.ts";
import { age } from "../../shared/format.ts";

const KINDS: Record<string, string> = {
  prepare: "Plan",
  video: "Picture",
  audio: "Sound",
  text: "Text track",
  poster: "Poster",
  captions: "Captions",
  playlists: "Playlists",
  finish: "Last steps",
};

/** Returns what a job makes: `Picture 1080p, 720p` has its renditions. */
function workOf(job: Job): string {
  const kind = KINDS[job.kind] ?? job.kind;
  const named = job.kind === "video" || job.kind === "audio";
  return named && job.tracks.length > 0 ? `${kind} ${job.tracks.join(", ")}` : kind;
}

/** Returns what it makes, who works on it since when and how fast, or how long it has waited. */
export function factsOf(job: Job, now: number): string {
  const facts = [workOf(job)];
  if (job.segmentsTotal > 0) {
    facts.push(`from segment ${job.firstSegment + 1} on`);
    facts.push(`${job.segmentsPublished} of ${job.segmentsTotal} published`);
  }
  if (job.running) {
    facts.push(`by ${job.worker ?? "a worker"}`);
    facts.push(job.since === null ? "" : `began ${age(job.since, now)}`);
  } else {
    facts.push(`queued ${age(job.queuedAt, now)}`);
  }
  if (job.segmentsPerMinute !== null) facts.push(`${job.segmentsPerMinute.toFixed(1)} a minute`);
  if (job.attempts > 1) facts.push(`try ${job.attempts}`);
  return facts.filter((it) => it !== "").join(" · ");
}

/** Returns the heading's count: `2 running, 14 waiting`. */
export function countOf(running: number, waiting: number): string {
  return running + waiting === 0 ? "nothing to do" : `${running} running, ${waiting} waiting`;
}
