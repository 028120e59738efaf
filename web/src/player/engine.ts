// The engine's side of the driver: hls.js, or the browser's own HLS, feeds the media element behind it.

import type { Choice, Failure, TextChoice, TrackChoice } from "./state.ts";

/** A change in the engine's state; absent keys have not changed. */
export interface EngineEvent {
  qualities?: Choice[];
  quality?: number | null;
  currentQuality?: number | null;
  audioTracks?: TrackChoice[];
  audioTrack?: number | null;
  textTracks?: TextChoice[];
  textTrack?: string | null;
  awaitingEncoder?: boolean;
  /** The line's rate as measured by the last segment. */
  lineBps?: number;
  failure?: Failure;
}

export interface Start {
  media: HTMLVideoElement;
  url: string;
  /** The line's known rate in bits per second, which decides the first rendition; null when it is not known. */
  lineBps: number | null;
  /** The renditions that Auto may take; null is all. */
  listed: readonly string[] | null;
  /** The start position, in seconds. */
  from: number;
  emit: (event: EngineEvent) => void;
}

export interface Engine {
  /** Null is Auto. */
  chooseQuality(id: number | null): void;
  /** Sets the renditions that Auto may take; null is all. */
  list(names: readonly string[] | null): void;
  chooseAudio(id: number): void;
  /** Null turns captions off. */
  chooseText(id: string | null): void;
  /** Takes the ticket of `url`, an address of the same video, for all that is fetched from now on. */
  renew(url: string): void;
  destroy(): void;
}
