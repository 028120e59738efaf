// The library's state, fed by the list and by the events.

import { useCallback, useEffect, useReducer, useRef, useState } from "react";
import type { Video } from "../../api/document.ts";
import { LIBRARY_EVENTS, subscribe } from "../../api/events.ts";
import { type Collected, listVideos, PAGE, type Sort } from "../../api/videos.ts";
import { Kept } from "../../shared/kept.ts";
import { personOf, session } from "../../shared/session.ts";
import { hasTag } from "../../shared/tags.ts";
import { type Action, type Collection, EMPTY, reduce } from "./collection.ts";

export interface LibraryState {
  collection: Collection;
  dispatch: (action: Action) => void;
  refresh: () => void;
  more: () => void;
}

const kept = new Kept<string, Collection>();

export function useLibrary(collected: Collected, tag: string | null, sort: Sort): LibraryState {
  const place = `${collected} ${sort} ${tag}`;
  const [collection, dispatch] = useReducer(reduce, kept.get(place) ?? { ...EMPTY, sort });
  const [shown, setShown] = useState(place);
  // Another order on the same page: what belongs to the one before is not shown for a moment.
  if (shown !== place) {
    setShown(place);
    dispatch({ type: "list", collection: kept.get(place) ?? { ...EMPTY, sort } });
  }
  useEffect(() => {
    kept.set(place, collection);
  }, [place, collection]);

  // A page of the order before must not become one of this.
  const current = useRef(place);
  useEffect(() => {
    current.current = place;
  }, [place]);

  const refresh = useCallback(async () => {
    dispatch({ type: "fetching" });
    const outcome = await listVideos({ collected, tag, sort, limit: PAGE, cursor: null });
    if (current.current !== place) return;
    if (outcome.state === "ready") dispatch({ type: "first-page", page: outcome.value });
    else dispatch({ type: "failed", problem: outcome.problem });
  }, [collected, tag, sort, place]);

  const more = useCallback(async () => {
    dispatch({ type: "fetching" });
    const cursor = collection.next;
    const outcome = await listVideos({ collected, tag, sort, limit: PAGE, cursor });
    if (current.current !== place) return;
    if (outcome.state === "ready") dispatch({ type: "more", page: outcome.value });
    else dispatch({ type: "failed", problem: outcome.problem });
  }, [collected, tag, sort, place, collection.next]);

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
      onVideo: (video) => {
        // The events are of all videos that this person may see.
        const listed = belongs(video, collected) && (tag === null || hasTag(video.tags, tag));
        dispatch(listed ? { type: "video", video } : { type: "left", id: video.id });
      },
      onDeleted: (id) => dispatch({ type: "deleted", id }),
    });
  }, [collected, tag, refresh]);

  return { collection, dispatch, refresh, more };
}

function belongs({ owner, sharedWithMe }: Video, collected: Collected): boolean {
  switch (collected) {
    case "all":
      return true;
    case "own":
      return owner !== null && owner.id === personOf(session.snapshot().session)?.id;
    case "shared":
      return sharedWithMe;
  }
}
