// A value that a page loads when it is opened, and changes by itself from then on.

import { useCallback, useEffect, useState } from "react";
import type { Loadable, Outcome } from "../api/request.ts";

export interface Loaded<T> {
  value: Loadable<T>;
  reload: () => void;
  change: (change: (value: T) => T) => void;
}

/** Loads by `load`, which must be the same function from one render to the next. */
export function useLoaded<T>(load: () => Promise<Outcome<T>>): Loaded<T> {
  const [value, setValue] = useState<Loadable<T>>({ state: "loading" });
  const [round, setRound] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round is why to load again
  useEffect(() => {
    let wanted = true;
    setValue({ state: "loading" });
    void load().then((outcome) => {
      if (wanted) setValue(outcome);
    });
    return () => {
      wanted = false;
    };
  }, [load, round]);

  const reload = useCallback(() => setRound((it) => it + 1), []);
  const change = useCallback((change: (value: T) => T) => {
    setValue((now) => (now.state === "ready" ? { state: "ready", value: change(now.value) } : now));
  }, []);
  return { value, reload, change };
}
