// The qualities that Auto may take while a video is encoded: those that its playlists list for every player.
// hls.js cannot add a level to a playlist that it has loaded, so the page loads the playlist of the whole ladder and
// bounds hls.js to a range of it, which grows without a break in playing.

export interface LevelRange {
  from: number;
  to: number;
}

/**
 * Returns the levels around `begin` that are all listed, by the names of the levels in hls.js's order; null where
 * nothing bounds the choice. hls.js knows a lowest and a highest level and no gaps between them.
 */
export function livable(
  levels: readonly string[],
  listed: readonly string[] | null,
  begin: number,
): LevelRange | null {
  if (listed === null || levels.every((it) => listed.includes(it))) return null;
  const isListed = (level: number) => listed.includes(levels[level] ?? "");
  let from = begin;
  let to = begin;
  while (from > 0 && isListed(from - 1)) from -= 1;
  while (to < levels.length - 1 && isListed(to + 1)) to += 1;
  return { from, to };
}
