// The player's state, and the pure mappings from the media's and hls.js's terms
// into it. No element and no network here, so that all of it can be tested as a table.

export interface Range {
  start: number;
  end: number;
}

export interface Choice {
  id: number;
  label: string;
}

/** A sound track of the menu. */
export interface TrackChoice extends Choice {
  /** A BCP 47 tag; empty when it is not known. */
  language: string;
}

/** A caption track by the name of its folder, which stays while lists grow and are loaded anew. */
export interface TextChoice {
  id: string;
  label: string;
  /** A BCP 47 tag; empty when it is not known. */
  language: string;
  /** Shown while captions are off, and no choice of the menu. */
  forced: boolean;
}

export interface Failure {
  kind: "network" | "missing" | "media" | "unsupported";
  title: string;
  detail: string;
}

export interface PlayerState {
  playing: boolean;
  ended: boolean;
  /** The picture waits for data, or for its first data. */
  buffering: boolean;
  /** The browser wants a gesture before it lets sound out. */
  blocked: boolean;
  seconds: number;
  duration: number;
  buffered: Range[];
  volume: number;
  muted: boolean;
  rate: number;
  qualities: Choice[];
  /** The chosen quality; null is Auto. */
  quality: number | null;
  /** The quality that is on the screen right now. */
  currentQuality: number | null;
  /** The renditions that Auto may take while the video is encoded; null is all. */
  listed: readonly string[] | null;
  audioTracks: TrackChoice[];
  audioTrack: number | null;
  textTracks: TextChoice[];
  /** The captions that are shown, or will be once they are loaded; null is Off. */
  textTrack: string | null;
  /** The captions that this viewer would read, whether they are shown or not; null when there are none. */
  preferredText: string | null;
  /** A part of the video is still being encoded and is being waited for. */
  awaitingEncoder: boolean;
  pictureInPicture: boolean;
  /** There is nothing to see, known once the media's metadata has loaded. */
  soundOnly: boolean;
  failure: Failure | null;
}

export const INITIAL: PlayerState = {
  playing: false,
  ended: false,
  buffering: false,
  blocked: false,
  seconds: 0,
  duration: 0,
  buffered: [],
  volume: 1,
  muted: false,
  rate: 1,
  qualities: [],
  quality: null,
  currentQuality: null,
  listed: null,
  audioTracks: [],
  audioTrack: null,
  textTracks: [],
  textTrack: null,
  preferredText: null,
  awaitingEncoder: false,
  pictureInPicture: false,
  soundOnly: false,
  failure: null,
};

export interface Variant {
  uri: string;
  width: number;
  height: number;
  bitrate: number;
}

/** Returns the quality menu's choices, the best first; ids are positions in `variants`. */
export function qualities(variants: readonly Variant[]): Choice[] {
  const order = variants.map((_, id) => id);
  order.sort((a, b) => rank(variants[b]) - rank(variants[a]));
  return order.map((id) => ({ id, label: variantLabel(variants[id] as Variant) }));
}

/**
 * Returns the rendition's name. It is the folder of its playlist; a foreign playlist is named by
 * its shorter side, so that a portrait 1080 × 1920 reads 1080p too.
 */
export function variantLabel({ uri, width, height, bitrate }: Variant): string {
  const name = folder(uri);
  if (/^\d+p\d*$/.test(name)) return name;
  const side = Math.min(width, height);
  if (side > 0) return `${side}p`;
  return `${Math.round(bitrate / 1000)} kbit/s`;
}

export interface Track {
  name: string;
  lang?: string | undefined;
}

/** Returns the choices of an audio menu; a track without a name goes by its language. */
export function tracks(list: readonly Track[]): TrackChoice[] {
  return list.map(({ name, lang }, id) => ({
    id,
    label: name || languageName(lang) || `Track ${id + 1}`,
    language: lang ?? "",
  }));
}

/** Returns the caption tracks of a playlist; one of which no playlist is known goes by its place. */
export function textTracks(
  list: readonly (Track & { url?: string; forced?: boolean })[],
): TextChoice[] {
  return tracks(list).map(({ id, label, language }) => ({
    id: folder(list[id]?.url) || `track-${id}`,
    label,
    language,
    forced: list[id]?.forced === true,
  }));
}

/**
 * Returns what the captions menu offers: the captions of the document, also when the
 * playlist was loaded before they were added. Null is a page without a document.
 */
export function offered(
  loaded: readonly TextChoice[],
  known: readonly TextChoice[] | null,
): TextChoice[] {
  const still = loaded.filter((it) => known?.some((other) => other.id === it.id) ?? true);
  const fresh = known?.filter((it) => !loaded.some((other) => other.id === it.id)) ?? [];
  return [...still, ...fresh].filter((it) => !it.forced);
}

function folder(url: string | undefined): string {
  return url?.split(/[?#]/)[0]?.split("/").at(-2) ?? "";
}

/** Returns a BCP 47 tag's name in English, or the tag itself when the browser has no name for it. */
export function languageName(tag: string | undefined): string {
  if (tag === undefined || tag === "") return "";
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}

/** Returns the failure to show for a media request whose retries are used up. */
export function requestFailure(status: number | undefined): Failure {
  if (status === 404 || status === 410) {
    return {
      kind: "missing",
      title: "This video is not here",
      detail: "Its files could not be found. It may have been deleted.",
    };
  }
  if (status === 503) {
    return {
      kind: "network",
      title: "This video is not ready yet",
      detail: "It is still being encoded. Try again in a moment.",
    };
  }
  if (status !== undefined && status >= 400) {
    return {
      kind: "network",
      title: "The server could not send this video",
      detail: `It answered with status ${status}.`,
    };
  }
  return {
    kind: "network",
    title: "The connection was lost",
    detail: "The server does not answer. Once it does, playback goes on where it stopped.",
  };
}

export const MEDIA_FAILURE: Failure = {
  kind: "media",
  title: "This video cannot be decoded",
  detail: "The browser gave up on the picture or the sound.",
};

export const UNSUPPORTED: Failure = {
  kind: "unsupported",
  title: "This browser cannot play the video",
  detail: "It has neither Media Source Extensions nor HLS. A player such as VLC can play it.",
};

export function ranges(buffered: TimeRanges): Range[] {
  const all: Range[] = [];
  for (let i = 0; i < buffered.length; i += 1) {
    all.push({ start: buffered.start(i), end: buffered.end(i) });
  }
  return all;
}

function rank(variant: Variant | undefined): number {
  return variant === undefined ? 0 : variant.width * variant.height * 1e9 + variant.bitrate;
}
