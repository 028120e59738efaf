// A value that a page loads when it is opened, and changes by itself from then on.

import { useCallback, useEffect, useState } from "react";
import type { Loadable, Outcome } from "../api/request.ts";
import { Kept } from "./kept.ts";

export interface Loaded<T> {
  value: Loadable<T>;
  reload: () => void;
  change: (change: (value: T) => T) => void;
}

const kept = new Kept<string, unknown>();

/**
 * Loads by `load`, which must be the same function from one render to the next. With `place`, the name of a list that is a page
 * of its own, what was there last is shown until the answer comes.
 */
export function useLoaded<T>(load: () => Promise<Outcome<T>>, place?: string): Loaded<T> {
  const [value, setValue] = useState<Loadable<T>>(() => lastAt(place));
  const [round, setRound] = useState(0);

  useEffect(() => {
    let wanted = true;
    setValue(round === 0 ? lastAt(place) : { state: "loading" });
    void load().then((outcome) => {
      if (wanted) setValue(outcome);
    });
    return () => {
      wanted = false;
    };
  }, [load, place, round]);

  useEffect(() => {
    if (place !== undefined && value.state === "ready") kept.set(place, value.value);
  }, [place, value]);

  const reload = useCallback(() => setRound((it) => it + 1), []);
  const change = useCallback((change: (value: T) => T) => {
    setValue((now) => (now.state === "ready" ? { state: "ready", value: change(now.value) } : now));
  }, []);
  return { value, reload, change };
}

function lastAt<T>(place: string | undefined): Loadable<T> {
  const last = place === undefined ? undefined : kept.get(place);
  return last === undefined ? { state: "loading" } : { state: "ready", value: last as T };
}
