// The cues of one track, loaded again whenever the track's revision grows.

import { useCallback, useEffect, useState } from "react";
import type { Captions, Cue } from "../../api/caption-document.ts";
import { listCues } from "../../api/captions.ts";
import type { Loadable } from "../../api/request.ts";

export interface Cues {
  cues: Loadable<Cue[]>;
  /** Shows a saved cue at once; null takes it away. */
  put: (number: number, cue: Cue | null) => void;
}

export function useCues(video: string, track: Captions | null): Cues {
  const [cues, setCues] = useState<Loadable<Cue[]>>({ state: "loading" });
  const id = track?.id ?? null;
  const revision = track?.revision ?? 0;

  useEffect(() => {
    setCues(id === null ? { state: "ready", value: [] } : { state: "loading" });
  }, [id]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new revision is why to load again
  useEffect(() => {
    if (id === null) return;
    const stop = new AbortController();
    void listCues(video, id, stop.signal).then((outcome) => {
      if (!stop.signal.aborted) setCues(outcome);
    });
    return () => stop.abort();
  }, [video, id, revision]);

  const put = useCallback((number: number, cue: Cue | null) => {
    setCues((now) => {
      if (now.state !== "ready") return now;
      const others = now.value.filter((it) => it.number !== number);
      const value = cue === null ? others : [...others, cue];
      return { state: "ready", value: value.sort((a, b) => a.start - b.start) };
    });
  }, []);

  return { cues, put };
}
