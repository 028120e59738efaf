// The results of one search, page by page. An answer that comes after the next question is dropped.

import { useCallback, useEffect, useRef, useState } from "react";
import type { Problem } from "../../api/request.ts";
import { type Results, search } from "../../api/search.ts";

export interface SearchState {
  results: Results | null;
  loading: boolean;
  problem: Problem | null;
  refresh: () => void;
  more: () => void;
}

export function useSearch(words: string): SearchState {
  const [results, setResults] = useState<Results | null>(null);
  const [loading, setLoading] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const question = useRef(0);

  const ask = useCallback(
    async (before: Results | null) => {
      question.current += 1;
      const mine = question.current;
      setLoading(true);
      setProblem(null);
      const outcome = await search({ words, cursor: before?.next ?? null });
      if (mine !== question.current) return;
      setLoading(false);
      if (outcome.state === "failed") return setProblem(outcome.problem);
      const { found, next } = outcome.value;
      setResults({ found: [...(before?.found ?? []), ...found], next });
    },
    [words],
  );

  const refresh = useCallback(() => {
    setResults(null);
    if (words.trim() !== "") void ask(null);
  }, [ask, words]);

  useEffect(() => {
    refresh();
    return () => {
      question.current += 1;
    };
  }, [refresh]);

  const more = useCallback(() => void ask(results), [ask, results]);
  return { results, loading, problem, refresh, more };
}
