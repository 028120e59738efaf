// The player without its controls: owns the media element and the engine that feeds it, and publishes its
// state as one value. React renders that value and calls the methods; it never touches the element.

import { Reconnect } from "../shared/reconnect.ts";
import type { Engine, EngineEvent } from "./engine.ts";
import { loadEngine } from "./engine-chunk.ts";
import { MEDIA_EVENTS } from "./media-state.ts";
import * as native from "./native-engine.ts";
import { readPreferences, writePreferences } from "./preferences.ts";
import { browserEstimate } from "./start-level.ts";
import {
  type Failure,
  INITIAL,
  offered,
  type PlayerState,
  requestFailure,
  type TextChoice,
  UNSUPPORTED,
} from "./state.ts";
import { type CueChange, correct } from "./text-cues.ts";
import { forcedText, preferredText } from "./text-preference.ts";
import { withTicketOf } from "./ticket.ts";

// A playlist is written again within a fraction of a second, and kept by caches for two.
const LATE_PLAYLIST_MS = 2500;

export interface Source {
  /** The playlist of what every player can live on. */
  url: string;
  /** The playlist of all renditions, for an engine that Auto can be bounded in. */
  ladder: string;
  poster: string | null;
  /** Begin to play without being asked, where the browser allows it. */
  autoplay: boolean;
  /** The moment to begin at, in seconds. */
  from: number;
}

export class Driver {
  readonly media: HTMLVideoElement;
  readonly #listeners = new Set<() => void>();
  #state: PlayerState;
  #engine: Engine | null = null;
  #source: Source | null = null;
  /** A failure that what is buffered still hides; shown when playback gets there. */
  #held: Failure | null = null;
  /** The captions in the playlist that is loaded. */
  #loadedTexts: TextChoice[] = [];
  /** The captions in the video's document; null until the page has passed them on. */
  #knownTexts: TextChoice[] | null = null;
  /** The language that is spoken in the video, as far as its document knows. */
  #ownLanguage: string | null = null;
  /** The forced captions that are on the picture, while no others are. */
  #forced: string | null = null;
  /** The viewer's preference for captions has been applied to this source. */
  #textsDecided = false;
  readonly #reconnect = new Reconnect();
  /** Counts loads, so that events of an engine of an earlier load are dropped. */
  #load = 0;

  constructor(media = document.createElement("video")) {
    this.media = media;
    const { volume, muted, rate } = readPreferences();
    this.#state = { ...INITIAL, volume, muted, rate };
    media.playsInline = true;
    media.preload = "auto";
    media.volume = volume;
    media.muted = muted;
    media.defaultPlaybackRate = rate;
    media.playbackRate = rate;
    this.#followMedia();
    for (const name of ["waiting", "seeking"]) {
      media.addEventListener(name, () => {
        if (this.#held !== null) this.#fail(this.#held);
      });
    }
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly state = (): PlayerState => this.#state;

  load(source: Source) {
    this.unload();
    this.#source = source;
    window.addEventListener("online", this.#backOnline);
    if (source.poster !== null) this.media.poster = source.poster;
    void this.#start(source.from, source.autoplay);
  }

  /** Lets go of the network and the decoder; `load` may be called again. */
  unload() {
    this.#load += 1;
    this.#engine?.destroy();
    this.#engine = null;
    this.#source = null;
    this.#held = null;
    this.#loadedTexts = [];
    this.#forced = null;
    this.#textsDecided = false;
    this.#reconnect.stop();
    window.removeEventListener("online", this.#backOnline);
    this.media.removeAttribute("poster");
    const { volume, muted, rate, listed } = this.#state;
    this.#set({ ...INITIAL, volume, muted, rate, listed });
  }

  /** Loads the same source anew where playback stands: after a failure, and for captions that came later. */
  reload() {
    if (this.#source === null) return;
    // Read before the engine goes, for without a source the element is at 0 and paused.
    const { seconds, playing, failure } = this.#state;
    this.#load += 1;
    this.#engine?.destroy();
    this.#engine = null;
    this.#held = null;
    this.#forced = null;
    this.#reconnect.stop();
    this.#set({ failure: null, awaitingEncoder: false });
    void this.#start(seconds, playing || failure !== null);
  }

  /** Takes the ticket of `url`, an address of the same video, without a break in playing. */
  renew(url: string) {
    if (this.#source === null) return;
    const { url: listed, ladder } = this.#source;
    const renewed = { url: withTicketOf(listed, url), ladder: withTicketOf(ladder, url) };
    this.#source = { ...this.#source, ...renewed };
    this.#engine?.renew(url);
  }

  async play() {
    if (this.#state.ended) this.seek(0);
    try {
      await this.media.play();
    } catch (error) {
      // An AbortError only means that a pause or another load came in between.
      if (named(error, "NotAllowedError")) this.#set({ blocked: true, buffering: false });
    }
  }

  pause() {
    this.media.pause();
  }

  toggle() {
    if (this.media.paused) void this.play();
    else this.pause();
  }

  seek(seconds: number) {
    const { duration } = this.#state;
    if (duration <= 0) return;
    const target = Math.min(Math.max(0, seconds), duration);
    this.media.currentTime = target;
    // Shown at once: the element reports its new time only after the data for it has arrived.
    this.#set({ seconds: target, ended: false });
  }

  seekBy(seconds: number) {
    this.seek(this.#state.seconds + seconds);
  }

  setVolume(volume: number) {
    this.media.volume = Math.min(1, Math.max(0, volume));
    this.media.muted = this.media.volume === 0;
  }

  toggleMuted() {
    const { media } = this;
    media.muted = !media.muted;
    // Unmuted at volume 0 would still be silent.
    if (!media.muted && media.volume === 0) media.volume = 0.5;
  }

  setRate(rate: number) {
    this.media.defaultPlaybackRate = rate;
    this.media.playbackRate = rate;
  }

  /** Null is Auto. */
  setQuality(id: number | null) {
    this.#engine?.chooseQuality(id);
  }

  setAudioTrack(id: number) {
    this.#engine?.chooseAudio(id);
  }

  /** Shows captions by the viewer's choice, which is remembered. Null turns them off. */
  setTextTrack(id: string | null) {
    this.#remember({ on: id !== null, id: id ?? this.#state.preferredText });
    this.#textsDecided = true;
    this.#showText(id);
  }

  /** Makes captions the viewer's choice: shown now if any are, else whenever they are turned on. */
  preferTextTrack(id: string) {
    const on = this.#state.textTrack !== null;
    this.#remember({ on, id });
    if (on) this.#showText(id);
  }

  #remember({ on, id }: { on: boolean; id: string | null }) {
    const language = this.#state.textTracks.find((it) => it.id === id)?.language ?? null;
    writePreferences({ captions: { on, id, language } });
    this.#set({ preferredText: id });
  }

  // Captions that came after the playlist was loaded have it loaded again.
  #showText(id: string | null) {
    this.#set({ textTrack: id });
    if (id !== null && !this.#loadedTexts.some((it) => it.id === id)) return this.reload();
    this.#forced = id === null ? this.#forcedText() : null;
    this.#engine?.chooseText(id ?? this.#forced);
  }

  #forcedText(): string | null {
    const { audioTracks, audioTrack } = this.#state;
    const sound = audioTracks.find((it) => it.id === audioTrack)?.language ?? this.#ownLanguage;
    return forcedText(this.#loadedTexts, sound ?? "")?.id ?? null;
  }

  /** Follows the sound's language with what is shown while captions are off. */
  #followForced() {
    const forced = this.#forcedText();
    if (this.#state.textTrack !== null || forced === this.#forced) return;
    this.#forced = forced;
    this.#engine?.chooseText(forced);
  }

  toggleCaptions() {
    const { textTrack, preferredText } = this.#state;
    if (textTrack !== null) this.setTextTrack(null);
    else if (preferredText !== null) this.setTextTrack(preferredText);
  }

  /** Sets the captions of the video's document, which may be newer than the loaded playlist. */
  setKnownTextTracks(known: TextChoice[], ownLanguage: string | null) {
    this.#knownTexts = known;
    this.#ownLanguage = ownLanguage;
    this.#offerTexts();
  }

  /** Sets the renditions that the playlists list by now; null is all. */
  setListed(names: readonly string[] | null) {
    const { listed } = this.#state;
    if (JSON.stringify(names) === JSON.stringify(listed)) return;
    this.#set({ listed: names });
    this.#engine?.list(names);
  }

  /** Corrects a cue of the captions that are shown, which players load but once. */
  correctCue(id: string, change: CueChange) {
    if (id === this.#state.textTrack) correct(this.media, change);
  }

  #offerTexts() {
    const textTracks = offered(this.#loadedTexts, this.#knownTexts);
    if (!sameChoices(textTracks, this.#state.textTracks)) this.#set({ textTracks });
    const last = readPreferences().captions;
    const criteria = { last, browser: navigator.languages, own: this.#ownLanguage };
    const preferred = preferredText(textTracks, criteria)?.id ?? null;
    this.#set({ preferredText: this.#state.textTrack ?? preferred });
    const { textTrack } = this.#state;
    if (textTrack !== null && !textTracks.some((it) => it.id === textTrack)) this.#showText(null);
    if (last !== null) this.#applyPreference(last.on ? preferred : null);
  }

  // Once for each source, and only to what is loaded: playback is not interrupted for captions that nobody has
  // asked for now.
  #applyPreference(id: string | null) {
    if (this.#textsDecided || this.#loadedTexts.length === 0) return;
    if (id !== null && !this.#loadedTexts.some((it) => it.id === id)) return;
    this.#textsDecided = true;
    if (id !== this.#state.textTrack) this.#showText(id);
  }

  async togglePictureInPicture() {
    try {
      if (document.pictureInPictureElement === this.media) await document.exitPictureInPicture();
      else await this.media.requestPictureInPicture();
    } catch {
      // Refused by the browser or before the first picture: nothing has changed.
    }
  }

  async #start(from: number, play: boolean) {
    const source = this.#source;
    if (source === null) return;
    const load = this.#load;
    this.#set({ buffering: true });
    const engine = await loadEngine().catch(() => null);
    if (load !== this.#load) return;
    const emit = (event: EngineEvent) => {
      if (load === this.#load) this.#handle(event);
    };
    // The server went away between the page and its player, which is no fault of the browser's.
    if (engine === null && !native.supported(this.media)) {
      return emit({ failure: requestFailure(undefined) });
    }
    const lineBps = readPreferences().lineBps ?? browserEstimate();
    const { listed } = this.#state;
    const start = { media: this.media, url: source.url, lineBps, listed, from, emit };
    if (engine?.supported()) this.#engine = engine.start({ ...start, url: source.ladder });
    else if (native.supported(this.media)) this.#engine = native.start(start);
    else {
      this.#set({ failure: UNSUPPORTED, buffering: false });
      return;
    }
    if (play) await this.play();
  }

  #handle(event: EngineEvent) {
    const { failure, textTracks, textTrack, lineBps, ...rest } = event;
    this.#set(rest);
    if (lineBps !== undefined) writePreferences({ lineBps });
    if (textTracks !== undefined) this.#handleTexts(textTracks, textTrack ?? null);
    else if (textTrack !== undefined) this.#set({ textTrack: this.#chosen(textTrack) });
    if (textTracks !== undefined || rest.audioTrack !== undefined) this.#followForced();
    if (failure === undefined) return;
    const playsOn =
      this.#state.playing && this.media.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
    if (playsOn && failure.kind === "network") this.#held = failure;
    else this.#fail(failure);
    if (failure.kind === "network" && this.#source !== null) {
      this.#reconnect.start(this.#source.url, () => this.reload());
    }
  }

  /** Returns the captions that count as chosen: forced ones are shown while there is no choice. */
  #chosen(id: string | null): string | null {
    return this.#loadedTexts.some((it) => it.id === id && it.forced) ? null : id;
  }

  #handleTexts(loaded: TextChoice[], selected: string | null) {
    const wanted = this.#state.textTrack;
    this.#loadedTexts = loaded;
    const shown = this.#chosen(selected);
    // A playlist that is loaded again shows what was shown before.
    if (loaded.some((it) => it.id === wanted)) {
      if (shown !== wanted) this.#engine?.chooseText(wanted);
    } else if (wanted !== null && this.#knownTexts?.some((it) => it.id === wanted)) {
      this.#loadLater();
    } else this.#set({ textTrack: shown });
    this.#offerTexts();
  }

  /** Loads again in a moment: the document lists captions before the playlist does. */
  #loadLater() {
    const load = this.#load;
    window.setTimeout(() => {
      if (load === this.#load && this.#state.textTrack !== null) this.reload();
    }, LATE_PLAYLIST_MS);
  }

  #fail(failure: Failure) {
    this.#held = null;
    this.#set({ failure, buffering: false });
  }

  readonly #backOnline = () => {
    const failure = this.#held ?? this.#state.failure;
    if (failure?.kind === "network") this.reload();
  };

  #followMedia() {
    for (const [name, change] of Object.entries(MEDIA_EVENTS)) {
      this.media.addEventListener(name, () => this.#set(change(this.media)));
    }
    for (const name of ["volumechange", "ratechange"]) {
      this.media.addEventListener(name, () => {
        const { volume, muted, rate } = this.#state;
        writePreferences({ volume, muted, rate });
      });
    }
  }

  #set(change: Partial<PlayerState>) {
    const keys = Object.keys(change) as (keyof PlayerState)[];
    if (keys.every((key) => Object.is(this.#state[key], change[key]))) return;
    this.#state = { ...this.#state, ...change };
    for (const listener of this.#listeners) listener();
  }
}

function sameChoices(one: readonly TextChoice[], other: readonly TextChoice[]): boolean {
  return (
    one.length === other.length &&
    one.every((it, at) => it.id === other[at]?.id && it.label === other[at]?.label)
  );
}

function named(error: unknown, name: string): boolean {
  return error instanceof DOMException && error.name === name;
}
