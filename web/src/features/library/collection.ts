// The list of videos that the library shows: pages fetched from the server, kept true by its events.
// A reducer, so that every order in which answers and events can meet is a line in a test.

import type { Video, VideoPage } from "../../api/document.ts";
import type { Problem } from "../../api/request.ts";

export interface Collection {
  /** The newest first. */
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
  | { type: "fetching" }
  | { type: "first-page"; page: VideoPage }
  | { type: "more"; page: VideoPage }
  | { type: "failed"; problem: Problem }
  | { type: "connected" }
  | { type: "video"; video: Video }
  | { type: "left"; id: string }
  | { type: "deleted"; id: string };

export const EMPTY: Collection = {
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
  const isLater = (it: Video) =>
    page.next !== null && last !== undefined && moment(it) < moment(last);
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
  if (state.videos.some((it) => it.id === video.id)) {
    const videos = state.videos.map((it) => (it.id === video.id ? video : it));
    return { ...state, videos, fresh };
  }
  // An older video than all that are shown belongs to a page that has not been asked for.
  const oldest = state.videos.at(-1);
  const beyond = state.next !== null && oldest !== undefined && moment(video) < moment(oldest);
  if (beyond) return { ...state, fresh };
  return { ...state, videos: newestFirst([video, ...state.videos]), fresh };
}

function merge(state: Collection, known: Video[], fetched: Video[]): Video[] {
  const byId = new Map(known.map((it) => [it.id, it]));
  for (const video of fetched) {
    if (state.gone.has(video.id)) continue;
    if (!state.fresh.has(video.id) || !byId.has(video.id)) byId.set(video.id, video);
  }
  return newestFirst([...byId.values()]);
}

function newestFirst(videos: Video[]): Video[] {
  return videos.toSorted((a, b) => compare(moment(b), moment(a)) || compare(b.id, a.id));
}

// RFC 3339 times in UTC sort as text, to the microsecond that Date would drop, but only without the
// Z: the server leaves out a fraction's zeros, and a Z sorts after every digit and point.
function moment({ createdAt }: Video): string {
  return createdAt.replace(/Z$/, "");
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
