import { expect, test } from "vitest";
import type { Job } from "../../api/jobs.ts";
import { countOf, factsOf } from "./job-words.ts";

const NOW = Date.parse("2026-01-01T12:00:00Z");

const RUN: Job = {
  video: { id: "v", title: "Dunes" },
  kind: "video",
  running: true,
  tracks: ["1080p", "720p"],
  firstSegment: 20,
  segmentsTotal: 40,
  segmentsPublished: 6,
  segmentsPerMinute: 12.34,
  attempts: 2,
  queuedAt: "2026-01-01T11:00:00Z",
  worker: "packager-1",
  since: "2026-01-01T11:58:00Z",
};

test("a run says what it makes, who makes it and how fast", () => {
  expect(factsOf(RUN, NOW)).toBe(
    "Picture 1080p, 720p · from segment 21 on · 6 of 40 published · by packager-1 · began 2 minutes ago · 12.3 a minute · try 2",
  );
});

test("a job that waits says how long", () => {
  const waiting: Job = {
    ...RUN,
    kind: "captions",
    running: false,
    tracks: ["abc"],
    segmentsTotal: 0,
    segmentsPerMinute: null,
    attempts: 0,
    worker: null,
    since: null,
  };
  expect(factsOf(waiting, NOW)).toBe("Captions · queued 1 hour ago");
});

test("a kind of a newer server is its own word", () => {
  expect(factsOf({ ...RUN, kind: "thumbnails" }, NOW)).toMatch(/^thumbnails · /);
});

test("the queue is counted", () => {
  expect(countOf(0, 0)).toBe("nothing to do");
  expect(countOf(2, 14)).toBe("2 running, 14 waiting");
});
