// The results of one search, page by page. An answer that comes after the next question is dropped.

import { useCallback, useEffect, useRef, useState } from "react";
import { LIBRARY_EVENTS, subscribe } from "../../api/events.ts";
import type { Outcome, Problem } from "../../api/request.ts";
import { type Results, search } from "../../api/search.ts";
import { Kept } from "../../shared/kept.ts";

export interface SearchState {
  results: Results | null;
  loading: boolean;
  problem: Problem | null;
  refresh: () => void;
  more: () => void;
}

const kept = new Kept<string, Results>();

export function useSearch(words: string): SearchState {
  const [shown, setShown] = useState({ words, results: kept.get(words) ?? null });
  const [loading, setLoading] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const question = useRef(0);
  // Those of the words before are not shown for a moment.
  const results = shown.words === words ? shown.results : (kept.get(words) ?? null);

  const ask = useCallback(
    async (fetch: () => Promise<Outcome<Results>>) => {
      question.current += 1;
      const mine = question.current;
      setLoading(true);
      setProblem(null);
      const outcome = await fetch();
      if (mine !== question.current) return;
      setLoading(false);
      if (outcome.state === "failed") return setProblem(outcome.problem);
      setShown({ words, results: outcome.value });
    },
    [words],
  );

  const refresh = useCallback(() => {
    if (words.trim() === "") return;
    void ask(() => firstOf(words, kept.get(words)?.found.length ?? 0));
  }, [ask, words]);

  useEffect(() => {
    refresh();
    return () => {
      question.current += 1;
    };
  }, [refresh]);

  useEffect(() => {
    if (shown.results !== null) kept.set(shown.words, shown.results);
  }, [shown]);

  useEffect(() => {
    const drop = (id: string) =>
      setShown(({ words, results }) => ({ words, results: results && without(results, id) }));
    return subscribe(LIBRARY_EVENTS, { onDeleted: drop });
  }, []);

  const more = useCallback(() => {
    if (results !== null) void ask(() => followed(words, results));
  }, [ask, words, results]);
  return { results, loading, problem, refresh, more };
}

/** Fetches as many results as were there before, at least a page. */
async function firstOf(words: string, count: number): Promise<Outcome<Results>> {
  let outcome = await search({ words, cursor: null });
  while (outcome.state === "ready" && hasMore(outcome.value, count)) {
    outcome = await followed(words, outcome.value);
  }
  return outcome;
}

function hasMore({ found, next }: Results, count: number): boolean {
  return found.length < count && next !== null;
}

/** Fetches the page behind the results. */
async function followed(words: string, before: Results): Promise<Outcome<Results>> {
  const outcome = await search({ words, cursor: before.next });
  if (outcome.state === "failed") return outcome;
  const { found, next } = outcome.value;
  return { state: "ready", value: { found: [...before.found, ...found], next } };
}

function without({ found, next }: Results, id: string): Results {
  return { found: found.filter((it) => it.video.id !== id), next };
}
