// One video's document, live until nothing about it will change by itself any more.

import { useCallback, useEffect, useState } from "react";
import type { Video } from "../../api/document.ts";
import { subscribe, videoEvents } from "../../api/events.ts";
import type { Loadable } from "../../api/request.ts";
import { showVideo } from "../../api/videos.ts";
import { ticketEnd } from "../../player/ticket.ts";
import { clamp } from "../../shared/format.ts";

const LEAST_RENEWAL_MS = 2000;

// Longer timers than 24.8 days fire at once.
const MOST_RENEWAL_MS = 86_400_000;

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
    if (outcome.state === "ready") setVideo(outcome);
    // Any other failure passes, and a later request replaces what is shown.
    else if (outcome.problem.status === 404) setDeleted(true);
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

  // A finished video too: it may be deleted, and its captions may change, while somebody watches.
  const follows = video.state === "ready" && !deleted;
  useEffect(() => {
    if (!follows) return;
    let connections = 0;
    return subscribe(videoEvents(id), {
      onVideo: replace,
      onDeleted: () => setDeleted(true),
      // Changes between two connections, a deletion too, are in no event.
      onOpen: () => {
        connections += 1;
        if (connections > 1) void look();
      },
      // The events of a deleted video are a 404, which EventSource reports as any other break.
      onLost: () => void look(),
    });
  }, [id, follows, replace, look]);

  useEffect(() => {
    if (video.state !== "ready" || deleted) return;
    const end = ticketEnd(video.value.playback?.hls ?? "");
    if (end === null) return;
    // Half of what is left: the server gives a new ticket once the old one is half over.
    const delay = clamp((end - Date.now()) / 2, LEAST_RENEWAL_MS, MOST_RENEWAL_MS);
    const timer = window.setTimeout(look, delay);
    return () => window.clearTimeout(timer);
  }, [video, deleted, look]);

  return { video, deleted, refresh, look, replace };
}
