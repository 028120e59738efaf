// A value that a page loads again and again while somebody looks at it.

import { useCallback, useEffect, useRef, useState } from "react";
import type { Loadable, Outcome, Problem } from "../api/request.ts";
import { Kept } from "./kept.ts";

const EVERY_MS = 3000;

export interface Polled<T> {
  value: Loadable<T>;
  /** Why the last load failed; what was loaded before it stays. */
  problem: Problem | null;
  /** Loads at once, as after a change of one's own. */
  reload: () => void;
}

const kept = new Kept<string, unknown>();

/**
 * Loads by `load`, which must be the same function from one render to the next. With `place`, the name of a list that is a page
 * of its own, what was there last is shown until the first answer comes.
 */
export function usePolled<T>(load: () => Promise<Outcome<T>>, place?: string): Polled<T> {
  const [value, setValue] = useState<T | undefined>(() => lastAt(place));
  const [problem, setProblem] = useState<Problem | null>(null);
  const again = useRef<() => void>(() => {});

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let round = 0;
    const take = (outcome: Outcome<T>) => {
      setProblem(outcome.state === "failed" ? outcome.problem : null);
      if (outcome.state === "failed") return;
      setValue(outcome.value);
      if (place !== undefined) kept.set(place, outcome.value);
    };
    const run = async () => {
      clearTimeout(timer);
      round += 1;
      const mine = round;
      const outcome = await load();
      // A later round, or another page.
      if (mine !== round) return;
      take(outcome);
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
  }, [load, place]);

  const reload = useCallback(() => again.current(), []);
  return { value: loadable(value, problem), problem, reload };
}

function loadable<T>(value: T | undefined, problem: Problem | null): Loadable<T> {
  if (value !== undefined) return { state: "ready", value };
  return problem === null ? { state: "loading" } : { state: "failed", problem };
}

function lastAt<T>(place: string | undefined): T | undefined {
  return place === undefined ? undefined : (kept.get(place) as T | undefined);
}
