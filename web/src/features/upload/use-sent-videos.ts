// The documents of the videos that this page has sent, followed until they are ready.

import { useEffect, useState } from "react";
import type { Video } from "../../api/document.ts";
import { LIBRARY_EVENTS, subscribe } from "../../api/events.ts";
import { showVideo } from "../../api/videos.ts";

export function useSentVideos(ids: string[], onDeleted: (id: string) => void) {
  const [videos, setVideos] = useState<ReadonlyMap<string, Video>>(new Map());
  // A finished video needs no events, and a connection less is one more for segments.
  const list = ids.filter((id) => videos.get(id)?.state !== "ready").join(" ");

  useEffect(() => {
    const wanted = list.split(" ").filter((it) => it !== "");
    if (wanted.length === 0) return;
    const keep = (video: Video) => {
      if (wanted.includes(video.id)) setVideos((all) => new Map(all).set(video.id, video));
    };
    return subscribe(LIBRARY_EVENTS, {
      onVideo: keep,
      onDeleted: (id) => {
        if (wanted.includes(id)) onDeleted(id);
      },
      onOpen: async () => {
        for (const id of wanted) {
          const outcome = await showVideo(id);
          if (outcome.state === "ready") keep(outcome.value);
        }
      },
    });
  }, [list, onDeleted]);

  return videos;
}
