// The library's state, fed by the list and by the events.

import { useCallback, useEffect, useReducer } from "react";
import { LIBRARY_EVENTS, subscribe } from "../../api/events.ts";
import { listVideos } from "../../api/videos.ts";
import { type Action, type Collection, EMPTY, reduce } from "./collection.ts";

const PAGE = 24;

export interface LibraryState {
  collection: Collection;
  dispatch: (action: Action) => void;
  refresh: () => void;
  more: () => void;
}

// The list as it was left, so that Back finds the page as long as it was, and the browser the place in it.
let kept: Collection = EMPTY;

export function useLibrary(): LibraryState {
  const [collection, dispatch] = useReducer(reduce, kept);
  useEffect(() => {
    kept = collection;
  }, [collection]);

  const refresh = useCallback(async () => {
    dispatch({ type: "fetching" });
    const outcome = await listVideos({ limit: PAGE, cursor: null });
    if (outcome.state === "ready") dispatch({ type: "first-page", page: outcome.value });
    else dispatch({ type: "failed", problem: outcome.problem });
  }, []);

  const more = useCallback(async () => {
    dispatch({ type: "fetching" });
    const outcome = await listVideos({ limit: PAGE, cursor: collection.next });
    if (outcome.state === "ready") dispatch({ type: "more", page: outcome.value });
    else dispatch({ type: "failed", problem: outcome.problem });
  }, [collection.next]);

  useEffect(() => {
    // The list does not wait for the events; once these flow, it is fetched again only if the
    // connection was lost in between, for then some may have been missed.
    void refresh();
    let connections = 0;
    return subscribe(LIBRARY_EVENTS, {
      onOpen: () => {
        connections += 1;
        dispatch({ type: "connected" });
        if (connections > 1) void refresh();
      },
      onVideo: (video) => dispatch({ type: "video", video }),
      onDeleted: (id) => dispatch({ type: "deleted", id }),
    });
  }, [refresh]);

  return { collection, dispatch, refresh, more };
}
