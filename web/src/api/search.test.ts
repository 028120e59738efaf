import { expect, test } from "vitest";
import { decodeResults } from "./search.ts";

const video = { id: "7f3a", title: "A walk", state: "ready" };

test("results are videos with the moments in which the words are said", () => {
  const hit = { language: "en", start_seconds: 2.5, end_seconds: 4, text: "The dunes" };
  const decoded = decodeResults({
    results: [{ video, place: "speech", hits: [hit, { text: "no time" }], hits_total: 9 }],
    next: "speech-1-7f3a",
  });
  expect(decoded?.next).toBe("speech-1-7f3a");
  expect(decoded?.found[0]?.video.title).toBe("A walk");
  expect(decoded?.found[0]?.hits).toEqual([
    { language: "en", startSeconds: 2.5, text: "The dunes" },
  ]);
  expect(decoded?.found[0]?.hitsTotal).toBe(9);
});

test("what is no result is left out, and what is no page is none", () => {
  expect(decodeResults({ results: [null, { video: {} }, { video }] })?.found).toHaveLength(1);
  expect(decodeResults({ videos: [] })).toBeNull();
});
