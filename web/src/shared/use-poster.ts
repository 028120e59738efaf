// A choice of a poster on its way: sent, waited for where a packager takes longer than one answer, and its end in words.

import { useCallback, useEffect, useRef, useState } from "react";
import { type PosterState, showPoster } from "../api/poster.ts";
import { type Outcome, sentence } from "../api/request.ts";

const LOOK_EVERY_MS = 1500;

export interface PosterChoice {
  busy: boolean;
  /** The choice that is made or under way; empty before a choice. */
  status: string;
  /** Why the last one failed; else empty. */
  failure: string;
  choose: (send: () => Promise<Outcome<PosterState>>) => void;
}

const NOTHING = { busy: false, status: "", failure: "" };

export function usePoster(video: string): PosterChoice {
  const [shown, setShown] = useState(NOTHING);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  // Each choice has a number: the end of one that another has replaced, or whose page is gone, is not shown.
  const latest = useRef(0);

  useEffect(
    () => () => {
      latest.current += 1;
      clearTimeout(timer.current);
    },
    [],
  );

  const choose = useCallback(
    (send: () => Promise<Outcome<PosterState>>) => {
      latest.current += 1;
      const mine = latest.current;
      clearTimeout(timer.current);
      setShown({ busy: true, status: "Making the poster…", failure: "" });
      const follow = async (step: () => Promise<Outcome<PosterState>>) => {
        const outcome = await step();
        if (mine !== latest.current) return;
        if (outcome.state === "failed") {
          setShown({ ...NOTHING, failure: sentence(outcome.problem) });
        } else if (outcome.value.state === "failed") {
          setShown({ ...NOTHING, failure: outcome.value.message });
        } else if (outcome.value.state === "ready") {
          setShown({ ...NOTHING, status: "The video has a new poster." });
        } else {
          timer.current = setTimeout(() => void follow(() => showPoster(video)), LOOK_EVERY_MS);
        }
      };
      void follow(send);
    },
    [video],
  );

  return { ...shown, choose };
}
