// The change of the player's state for each event of the media element.

import { type PlayerState, ranges } from "./state.ts";

/** The part of a media element that its events are read from. */
export type MediaView = Pick<
  HTMLVideoElement,
  | "buffered"
  | "currentTime"
  | "duration"
  | "ended"
  | "muted"
  | "playbackRate"
  | "readyState"
  | "videoWidth"
  | "volume"
>;

type Change = (media: MediaView) => Partial<PlayerState>;

// HTMLMediaElement.HAVE_FUTURE_DATA: this frame and the next can be shown.
const HAVE_FUTURE_DATA = 3;

const time: Change = (media) => ({
  // While a source is loaded anew the element is empty and at 0; the place is kept until then.
  ...(media.readyState > 0 && { seconds: media.currentTime }),
  buffered: ranges(media.buffered),
});

const flowing: Change = (media) => ({
  buffering: media.readyState < HAVE_FUTURE_DATA && !media.ended,
});

const size: Change = (media) => ({ soundOnly: media.videoWidth === 0 });

export const MEDIA_EVENTS: Readonly<Record<string, Change>> = {
  play: () => ({ playing: true, ended: false, blocked: false }),
  pause: () => ({ playing: false }),
  ended: () => ({ playing: false, ended: true, buffering: false }),
  loadedmetadata: size,
  resize: size,
  timeupdate: time,
  progress: (media) => ({ buffered: ranges(media.buffered) }),
  seeking: () => ({ buffering: true }),
  seeked: (media) => ({ ...time(media), ...flowing(media) }),
  waiting: () => ({ buffering: true }),
  playing: flowing,
  canplay: flowing,
  durationchange: (media) => (Number.isFinite(media.duration) ? { duration: media.duration } : {}),
  volumechange: (media) => ({ volume: media.volume, muted: media.muted }),
  ratechange: (media) => ({ rate: media.playbackRate }),
  enterpictureinpicture: () => ({ pictureInPicture: true }),
  leavepictureinpicture: () => ({ pictureInPicture: false }),
};
