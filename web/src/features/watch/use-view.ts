// The view of a video, which the server gets when it first plays on this page. The server counts each viewer once a day.

import { useEffect } from "react";
import { countView } from "../../api/videos.ts";
import type { Driver } from "../../player/driver.ts";

export function useView(video: string, driver: Driver) {
  useEffect(() => {
    const stop = driver.subscribe(() => {
      if (!driver.state().playing) return;
      stop();
      // A view that is lost is no trouble of the viewer's.
      void countView(video);
    });
    return stop;
  }, [video, driver]);
}
