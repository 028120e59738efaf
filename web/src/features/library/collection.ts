// The list of videos that the library shows: pages fetched from the server, kept true by its events.
// A reducer, so that every order in which answers and events can meet is a line in a test.

import type { Video, VideoPage } from "../../api/document.ts";
import type { Problem } from "../../api/request.ts";
import type { Sort } from "../../api/videos.ts";
import { compareBy } from "./order.ts";

export interface Collection {
  sort: Sort;
  /** In that order. */
  videos: Video[];
  next: string | null;
  /** Nothing has been fetched yet, or a page is on its way. */
  loading: boolean;
  loaded: boolean;
  problem: Problem | null;
  /**
   * Ids in events since the last (re)connection. They are newer than any page that was requested
   * before them, whichever arrives first.
   */
  fresh: ReadonlySet<string>;
  gone: ReadonlySet<string>;
}

export type Action =
  /** Another list takes its place. */
  | { type: "list"; collection: Collection }
  | { type: "fetching" }
  | { type: "first-page"; page: VideoPage }
  | { type: "more"; page: VideoPage }
  | { type: "failed"; problem: Problem }
  | { type: "connected" }
  | { type: "video"; video: Video }
  | { type: "left"; id: string }
  | { type: "deleted"; id: string };

export const EMPTY: Collection = {
  sort: "newest",
  videos: [],
  next: null,
  loading: true,
  loaded: false,
  problem: null,
  fresh: new Set(),
  gone: new Set(),
};

export function reduce(state: Collection, action: Action): Collection {
  switch (action.type) {
    case "list":
      return action.collection;
    case "fetching":
      return { ...state, loading: true, problem: null };
    case "first-page":
      return withFirstPage(state, action.page);
    case "more":
      return {
        ...state,
        videos: merge(state, state.videos, action.page.videos),
        next: action.page.next,
        loading: false,
      };
    case "failed":
      return { ...state, loading: false, problem: action.problem };
    case "connected":
      return { ...state, fresh: new Set(), gone: new Set() };
    case "video":
      return withVideo(state, action.video);
    case "left":
      // It may come back: another edit gives it the list's tag again.
      if (!state.videos.some((it) => it.id === action.id)) return state;
      return { ...state, videos: state.videos.filter((it) => it.id !== action.id) };
    case "deleted":
      return {
        ...state,
        videos: state.videos.filter((it) => it.id !== action.id),
        gone: new Set(state.gone).add(action.id),
      };
  }
}

// A first page that comes again, after a reconnection, covers its own span only: what lies in
// that span and is missing from it was deleted since, what lies beyond stays.
function withFirstPage(state: Collection, page: VideoPage): Collection {
  const listed = new Set(page.videos.map((it) => it.id));
  const last = page.videos.at(-1);
  const order = compareBy(state.sort);
  const isLater = (it: Video) => page.next !== null && last !== undefined && order(it, last) > 0;
  const beyond = state.videos.filter(
    (it) => listed.has(it.id) || state.fresh.has(it.id) || isLater(it),
  );
  const keepsMore = state.loaded && beyond.some(isLater);
  return {
    ...state,
    videos: merge(state, beyond, page.videos),
    next: keepsMore ? state.next : page.next,
    loading: false,
    loaded: true,
    problem: null,
  };
}

function withVideo(state: Collection, video: Video): Collection {
  if (state.gone.has(video.id)) return state;
  const fresh = new Set(state.fresh).add(video.id);
  const order = compareBy(state.sort);
  if (state.videos.some((it) => it.id === video.id)) {
    const videos = state.videos.map((it) => (it.id === video.id ? video : it));
    return { ...state, videos: videos.toSorted(order), fresh };
  }
  // A video behind all that are shown belongs to a page that has not been asked for.
  const last = state.videos.at(-1);
  const beyond = state.next !== null && last !== undefined && order(video, last) > 0;
  if (beyond) return { ...state, fresh };
  return { ...state, videos: [video, ...state.videos].toSorted(order), fresh };
}

function merge(state: Collection, known: Video[], fetched: Video[]): Video[] {
  const byId = new Map(known.map((it) => [it.id, it]));
  for (const video of fetched) {
    if (state.gone.has(video.id)) continue;
    if (!state.fresh.has(video.id) || !byId.has(video.id)) byId.set(video.id, video);
  }
  return [...byId.values()].toSorted(compareBy(state.sort));
}
