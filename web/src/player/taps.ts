// Taps on the picture: one shows or hides the controls, a second one soon after skips towards its side, as phones'
// players do.

// Android's ViewConfiguration.getDoubleTapTimeout(); a longer one would turn two single taps into a skip.
const DOUBLE_TAP_MS = 300;

export const SKIP_SECONDS = 10;

export interface Tap {
  /** In milliseconds, of any clock that only goes forward. */
  at: number;
  /** The place across the picture, 0 to 1. */
  x: number;
}

/** Returns the seconds to skip, forward or back; 0 for a tap that is no double tap, or one in the middle. */
export function skipOf(previous: Tap | null, tap: Tap): number {
  if (previous === null || tap.at - previous.at > DOUBLE_TAP_MS) return 0;
  const side = sideOf(tap);
  return side === sideOf(previous) ? side * SKIP_SECONDS : 0;
}

// The middle third is left alone: a thumb that wants to pause must not skip.
function sideOf({ x }: Tap): -1 | 0 | 1 {
  if (x < 1 / 3) return -1;
  return x > 2 / 3 ? 1 : 0;
}
