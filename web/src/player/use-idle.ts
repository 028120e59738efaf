// Idle detection, so that the controls fade.

import { type RefObject, useCallback, useEffect, useState } from "react";

const IDLE_MS = 2600;

export interface Idle {
  isIdle: boolean;
  /** Shows the controls, and restarts the timer. */
  stir: () => void;
  /** Hides the controls at once. */
  rest: () => void;
}

export function useIdle(stage: RefObject<HTMLElement | null>): Idle {
  const [isIdle, setIdle] = useState(false);
  const [stirs, setStirs] = useState(0);

  const stir = useCallback(() => {
    setIdle(false);
    setStirs((count) => count + 1);
  }, []);
  const rest = useCallback(() => setIdle(true), []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: each stir restarts the timer
  useEffect(() => {
    const timer = window.setTimeout(rest, IDLE_MS);
    return () => window.clearTimeout(timer);
  }, [stirs, rest]);

  useEffect(() => {
    const element = stage.current;
    if (element === null) return;
    const moved = (event: PointerEvent) => {
      if (event.pointerType === "mouse") stir();
    };
    const left = (event: PointerEvent) => {
      if (event.pointerType === "mouse") rest();
    };
    element.addEventListener("pointermove", moved);
    element.addEventListener("pointerleave", left);
    element.addEventListener("focusin", stir);
    return () => {
      element.removeEventListener("pointermove", moved);
      element.removeEventListener("pointerleave", left);
      element.removeEventListener("focusin", stir);
    };
  }, [stage, stir, rest]);

  return { isIdle, stir, rest };
}
