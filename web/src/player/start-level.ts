// The rendition to start with: the best that the line is known to carry, else the smallest.

// Chromium's estimate is for a page load, not for one long transfer, and an estimate of yesterday is of another
// network: neither is used up to its brim.
const SAFE_SHARE = 0.6;

/** Returns the place of the level in `bitrates`, in bits per second, sorted upwards; null is an unknown line. */
export function startLevel(bitrates: readonly number[], lineBps: number | null): number {
  if (lineBps === null) return 0;
  return Math.max(
    0,
    bitrates.findLastIndex((it) => it <= lineBps * SAFE_SHARE),
  );
}

interface NetworkInformation {
  /** Megabits per second, at most 10 so that nobody is recognised by it. */
  downlink?: number;
  saveData?: boolean;
}

/** Returns what the browser knows of the line; only Chromium does (Network Information API). */
export function browserEstimate(): number | null {
  const { connection } = navigator as Navigator & { connection?: NetworkInformation };
  if (connection?.saveData === true) return null;
  return connection?.downlink ? connection.downlink * 1e6 : null;
}
