// A value that a page loads again and again while somebody looks at it.

import { useCallback, useEffect, useRef, useState } from "react";
import type { Loadable, Outcome } from "../api/request.ts";

const EVERY_MS = 3000;

export interface Polled<T> {
  value: Loadable<T>;
  /** Loads at once, as after a change of one's own. */
  reload: () => void;
}

/** Loads by `load`, which must be the same function from one render to the next. What was loaded stays until there is more. */
export function usePolled<T>(load: () => Promise<Outcome<T>>): Polled<T> {
  const [value, setValue] = useState<Loadable<T>>({ state: "loading" });
  const again = useRef<() => void>(() => {});

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let round = 0;
    const run = async () => {
      clearTimeout(timer);
      round += 1;
      const mine = round;
      const outcome = await load();
      // A later round, or another page.
      if (mine !== round) return;
      setValue(outcome);
      if (document.visibilityState === "visible") timer = setTimeout(run, EVERY_MS);
    };
    const look = () => {
      if (document.visibilityState === "visible") void run();
    };
    again.current = () => void run();
    document.addEventListener("visibilitychange", look);
    void run();
    return () => {
      round = -1;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [load]);

  return { value, reload: useCallback(() => again.current(), []) };
}
