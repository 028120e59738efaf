// What the driver needs of whatever brings HLS into the media element: hls.js, or the browser.

import type { Choice, Failure, TextChoice } from "./state.ts";

/** What an engine learns, told as it happens; absent keys have not changed. */
export interface News {
  qualities?: Choice[];
  quality?: number | null;
  currentQuality?: number | null;
  audioTracks?: Choice[];
  audioTrack?: number | null;
  textTracks?: TextChoice[];
  textTrack?: string | null;
  awaitingEncoder?: boolean;
  failure?: Failure;
}

export interface Start {
  media: HTMLVideoElement;
  url: string;
  /** Where to begin, in seconds. */
  from: number;
  tell: (news: News) => void;
}

export interface Engine {
  /** Null is Auto. */
  chooseQuality(id: number | null): void;
  chooseAudio(id: number): void;
  /** Null turns captions off. */
  chooseText(id: string | null): void;
  destroy(): void;
}
