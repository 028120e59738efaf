// One video's document, live until nothing about it will change by itself any more.

import { useCallback, useEffect, useState } from "react";
import type { Video } from "../../api/document.ts";
import { subscribe, videoEvents } from "../../api/events.ts";
import type { Loadable } from "../../api/request.ts";
import { showVideo } from "../../api/videos.ts";
import { isUnderWay } from "./caption-words.ts";

export interface Watched {
  video: Loadable<Video>;
  deleted: boolean;
  refresh: () => void;
  /** Looks again without letting go of what is shown. */
  look: () => void;
  replace: (video: Video) => void;
}

export function useVideo(id: string): Watched {
  const [video, setVideo] = useState<Loadable<Video>>({ state: "loading" });
  const [deleted, setDeleted] = useState(false);

  const replace = useCallback((value: Video) => setVideo({ state: "ready", value }), []);
  const refresh = useCallback(async () => {
    setVideo({ state: "loading" });
    setVideo(await showVideo(id));
  }, [id]);

  const look = useCallback(async () => {
    const outcome = await showVideo(id);
    // A failed look changes nothing; the next one may be luckier.
    if (outcome.state === "ready") setVideo(outcome);
  }, [id]);

  useEffect(() => {
    const stop = new AbortController();
    setVideo({ state: "loading" });
    setDeleted(false);
    void showVideo(id, stop.signal).then((outcome) => {
      if (!stop.signal.aborted) setVideo(outcome);
    });
    return () => stop.abort();
  }, [id]);

  // A finished video needs no events, and its segments can do with the connection.
  const follows =
    video.state === "ready" &&
    (video.value.state !== "ready" || video.value.captions.some(isUnderWay));
  useEffect(() => {
    if (!follows) return;
    return subscribe(videoEvents(id), { onVideo: replace, onDeleted: () => setDeleted(true) });
  }, [id, follows, replace]);

  return { video, deleted, refresh, look, replace };
}
