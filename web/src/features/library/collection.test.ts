import { describe, expect, test } from "vitest";
import { decodeVideo, type Video } from "../../api/document.ts";
import { type Action, type Collection, EMPTY, reduce } from "./collection.ts";

/** A video created in the given minute; the higher, the newer. */
function video(id: string, minute: number, title = id): Video {
  const created = `2026-03-10T12:${String(minute).padStart(2, "0")}:00Z`;
  const it = decodeVideo({ id, title, state: "planned", created_at: created });
  if (it === null) throw new Error("the test's document decodes");
  return it;
}

const page = (videos: Video[], next: string | null = null) => ({ videos, next });

const given = (...actions: Action[]): Collection => actions.reduce(reduce, EMPTY);

const titles = (state: Collection) => state.videos.map((it) => it.title);

test("pages follow one another, the newest first", () => {
  const state = given(
    { type: "first-page", page: page([video("c", 3), video("b", 2)], "2") },
    { type: "fetching" },
    { type: "more", page: page([video("a", 1)]) },
  );
  expect(titles(state)).toEqual(["c", "b", "a"]);
  expect(state.next).toBeNull();
  expect(state.loading).toBe(false);
});

test("a video that moved between two pages is shown once", () => {
  const state = given(
    { type: "first-page", page: page([video("c", 3), video("b", 2)], "2") },
    { type: "more", page: page([video("b", 2), video("a", 1)]) },
  );
  expect(titles(state)).toEqual(["c", "b", "a"]);
});

test("a list in another order keeps it, through pages and events", () => {
  const watched = (it: Video, views: number) => ({ ...it, views });
  const list: Action = { type: "list", collection: { ...EMPTY, sort: "views" } };
  const first = page([watched(video("a", 1), 9), watched(video("b", 2), 5)], "2");
  const start: Action[] = [list, { type: "first-page", page: first }];
  const rest = page([watched(video("d", 4), 1), watched(video("c", 3), 1)]);
  expect(titles(given(...start, { type: "more", page: rest }))).toEqual(["a", "b", "d", "c"]);
  const event = (it: Video): Action => ({ type: "video", video: it });
  expect(titles(given(...start, event(watched(video("b", 2), 10))))).toEqual(["b", "a"]);
  expect(titles(given(...start, event(watched(video("e", 5), 7))))).toEqual(["a", "e", "b"]);
  expect(titles(given(...start, event(watched(video("e", 5), 0))))).toEqual(["a", "b"]);
});

test("titles are in the order of the server", () => {
  const named = ["Zebra", "Episode 10", "episode 9", "Äpfel", "apple", "007"];
  const videos = named.map((title, at) => video(`${at}`, at, title));
  const list: Action = { type: "list", collection: { ...EMPTY, sort: "title" } };
  const state = given(list, { type: "first-page", page: page(videos) });
  expect(titles(state)).toEqual(["007", "Äpfel", "apple", "episode 9", "Episode 10", "Zebra"]);
});

test("times with and without a fraction of a second sort by the moment", () => {
  const at = (id: string, created: string) => ({ ...video(id, 0), createdAt: created });
  const videos = [
    at("a", "2026-03-10T12:00:37Z"),
    at("b", "2026-03-10T12:00:37.25Z"),
    at("c", "2026-03-10T12:00:37.251Z"),
    at("d", "2026-03-10T12:00:38Z"),
  ];
  expect(titles(given({ type: "first-page", page: page(videos) }))).toEqual(["d", "c", "b", "a"]);
});

describe("an event of a video", () => {
  const first: Action = { type: "first-page", page: page([video("c", 3), video("b", 2)], "2") };

  test("replaces what is shown, in its place", () => {
    const state = given(first, { type: "video", video: video("b", 2, "B!") });
    expect(titles(state)).toEqual(["c", "B!"]);
  });

  test("takes away what the list no longer has, and it may come back", () => {
    const left = given(first, { type: "left", id: "b" }, { type: "left", id: "z" });
    expect(titles(left)).toEqual(["c"]);
    expect(titles(reduce(left, { type: "video", video: video("d", 4) }))).toEqual(["d", "c"]);
    const back = reduce(given(first, { type: "left", id: "c" }), {
      type: "video",
      video: video("c", 3),
    });
    expect(titles(back)).toEqual(["c", "b"]);
  });

  test("adds a new one at the top", () => {
    expect(titles(given(first, { type: "video", video: video("d", 4) }))).toEqual(["d", "c", "b"]);
  });

  test("leaves one that belongs to a later page to that page", () => {
    expect(titles(given(first, { type: "video", video: video("a", 1) }))).toEqual(["c", "b"]);
  });

  test("adds an old one when all pages are there", () => {
    const all: Action = { type: "first-page", page: page([video("c", 3)]) };
    expect(titles(given(all, { type: "video", video: video("a", 1) }))).toEqual(["c", "a"]);
  });

  test("is newer than a page that was asked for before it", () => {
    const state = given(
      { type: "connected" },
      { type: "video", video: video("c", 3, "ready") },
      { type: "first-page", page: page([video("c", 3, "planned")]) },
    );
    expect(titles(state)).toEqual(["ready"]);
  });

  test("does not bring a deleted one back", () => {
    const state = given(
      first,
      { type: "deleted", id: "c" },
      { type: "video", video: video("c", 3) },
      { type: "more", page: page([video("c", 3), video("a", 1)]) },
    );
    expect(titles(state)).toEqual(["b", "a"]);
  });
});

describe("the first page, fetched again after the connection was lost,", () => {
  const before: Action[] = [
    { type: "first-page", page: page([video("d", 4), video("c", 3)], "2") },
    { type: "more", page: page([video("b", 2), video("a", 1)], "4") },
    { type: "connected" },
  ];

  test("brings what changed", () => {
    const state = given(...before, {
      type: "first-page",
      page: page([video("d", 4, "D!"), video("c", 3)], "2"),
    });
    expect(titles(state)).toEqual(["D!", "c", "b", "a"]);
  });

  test("takes away what was deleted within its span", () => {
    const state = given(...before, {
      type: "first-page",
      page: page([video("d", 4), video("b", 2)], "3"),
    });
    expect(titles(state)).toEqual(["d", "b", "a"]);
  });

  test("keeps the place up to which pages were loaded", () => {
    const state = given(...before, {
      type: "first-page",
      page: page([video("d", 4), video("c", 3)], "2"),
    });
    expect(state.next).toBe("4");
  });

  test("empties the list when everything is gone", () => {
    expect(titles(given(...before, { type: "first-page", page: page([]) }))).toEqual([]);
  });
});

test("a failure keeps what is shown", () => {
  const problem = { status: 0, code: "unreachable", title: "", detail: "" };
  const state = given(
    { type: "first-page", page: page([video("a", 1)]) },
    { type: "fetching" },
    { type: "failed", problem },
  );
  expect(titles(state)).toEqual(["a"]);
  expect(state.problem).toEqual(problem);
  expect(state.loading).toBe(false);
});
