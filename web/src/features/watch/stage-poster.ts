// The poster of the player: small where the stage is, or where the line is slow, for it comes before the first segment.

import type { Video } from "../../api/document.ts";
import { browserEstimate } from "../../player/start-level.ts";
import { playback } from "../../shared/progress.ts";

// One and a half times the small poster's width: the eye does not see more of a picture that playback soon replaces.
const SMALL_STAGE = 960;

// The large poster takes as long on it as the whole start should.
const SLOW_BPS = 2_000_000;

/** Returns the poster for a window and a line, by default for those of this page. */
export function stagePoster(
  { poster, posterSmall }: Pick<Video, "poster" | "posterSmall">,
  { pixels, lineBps }: Viewer = viewer(),
): string | null {
  const small = pixels <= SMALL_STAGE || (lineBps !== null && lineBps < SLOW_BPS);
  return small ? (posterSmall ?? poster) : poster;
}

/** Has the poster fetched before there is a player to show it: it is the largest thing that a viewer waits for. */
export function fetchPoster(video: Video) {
  const poster = playback(video) && stagePoster(video);
  if (!poster) return;
  const image = new Image();
  image.fetchPriority = "high";
  image.src = poster;
}

interface Viewer {
  /** The width of the window in the screen's pixels. */
  pixels: number;
  lineBps: number | null;
}

function viewer(): Viewer {
  return { pixels: window.innerWidth * window.devicePixelRatio, lineBps: browserEstimate() };
}
