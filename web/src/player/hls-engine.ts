// HLS through hls.js. Loaded on demand, for the library page plays nothing.

import Hls, {
  type ErrorData,
  ErrorDetails,
  ErrorTypes,
  Events,
  type FragBufferedData,
} from "hls.js";
import { clamp } from "../shared/format.ts";
import type { Engine, EngineEvent, Start } from "./engine.ts";
import { SETTINGS } from "./hls-settings.ts";
import { type LevelRange, livable } from "./livable.ts";
import { startLevel } from "./start-level.ts";
import {
  MEDIA_FAILURE,
  qualities,
  requestFailure,
  textTracks,
  tracks,
  variantLabel,
} from "./state.ts";
import { withTicketOf } from "./ticket.ts";

// A decoder that fails again so soon after it was set up anew will not recover.
const RECOVERY_MS = 5000;

export function supported(): boolean {
  return Hls.isSupported();
}

export function start({ media, url, lineBps, listed, from, emit }: Start): Engine {
  let current = url;
  let mayTake = listed;
  // A segment that is sent while it is encoded has no length. It comes at the encoder's pace, not at the line's.
  const growing = new WeakSet<object>();
  class LineEstimate extends Hls.DefaultConfig.abrController {
    protected override onFragBuffered(event: Events.FRAG_BUFFERED, data: FragBufferedData) {
      if (!growing.has(data.frag)) super.onFragBuffered(event, data);
    }
  }
  const hls = new Hls({
    ...SETTINGS,
    abrController: LineEstimate,
    ...(lineBps !== null && { abrEwmaDefaultEstimate: lineBps }),
    startPosition: from > 0 ? from : -1,
    // Playlists name their segments below their own address, whose ticket ends before a long film does.
    xhrSetup: (xhr, asked) => {
      const renewed = withTicketOf(asked, current);
      if (renewed !== asked) xhr.open("GET", renewed, true);
    },
  });
  let recoveredAt = Number.NEGATIVE_INFINITY;

  hls.on(Events.MANIFEST_PARSED, (_, { levels, subtitleTracks }) => {
    // hls.js sorts levels by bitrate. The playlist lists first what is encoded first, not what a slow line carries.
    const level = startLevel(
      levels.map((it) => it.bitrate),
      lineBps,
    );
    const range = bound();
    hls.startLevel = range === null ? level : clamp(level, range.from, range.to);
    const variants = levels.map((it) => ({
      uri: it.uri,
      width: it.width,
      height: it.height,
      bitrate: it.bitrate,
    }));
    const hasPicture = variants.some((it) => it.height > 0);
    emit({ qualities: hasPicture ? qualities(variants) : [], quality: null });
    // SUBTITLE_TRACKS_UPDATED does not fire for a playlist without captions.
    if (subtitleTracks.length === 0) emit({ textTracks: [] });
  });
  hls.on(Events.LEVEL_SWITCHED, (_, { level }) => emit({ currentQuality: level }));
  hls.on(Events.AUDIO_TRACKS_UPDATED, (_, { audioTracks }) => {
    emit({ audioTracks: tracks(audioTracks), audioTrack: selected(hls.audioTrack) });
  });
  hls.on(Events.AUDIO_TRACK_SWITCHED, (_, { id }) => emit({ audioTrack: id }));
  hls.on(Events.SUBTITLE_TRACKS_UPDATED, (_, { subtitleTracks }) => {
    // hls.js selects its default after this event; a choice made in the handler would be overruled.
    queueMicrotask(() => {
      emit({ textTracks: textTracks(subtitleTracks), textTrack: captions(hls.subtitleTrack) });
    });
  });
  hls.on(Events.SUBTITLE_TRACK_SWITCH, (_, { id }) => emit({ textTrack: captions(id) }));
  hls.on(Events.FRAG_LOADED, (_, { frag, networkDetails }) => {
    if (!(networkDetails instanceof XMLHttpRequest)) return;
    if (networkDetails.getResponseHeader("content-length") === null) growing.add(frag);
  });
  hls.on(Events.FRAG_BUFFERED, () => {
    emit({ awaitingEncoder: false, lineBps: Math.round(hls.bandwidthEstimate) });
  });
  hls.on(Events.LEVEL_LOADED, () => emit({ awaitingEncoder: false }));
  hls.on(Events.ERROR, (_, data) => {
    const event = data.fatal ? onFatal(data) : onPassing(data);
    if (event !== null) emit(event);
  });

  hls.attachMedia(media);
  hls.loadSource(url);

  function onPassing(data: ErrorData): EngineEvent | null {
    if (data.response?.code !== 503) return null;
    // A 503 is a promise that the segment comes. It must not use up the retries, or a long wait would
    // end in a failure.
    for (const level of hls.levels) level.fragmentError = 0;
    const late = data.frag;
    // Captions that are still being transcribed do not hold up playback.
    if (late?.type === "subtitle") return null;
    if (late?.type === "main" && hls.autoLevelEnabled && late.level !== hls.firstLevel) {
      // The start-up rendition is encoded first, so in Auto it is the one to fall back on.
      hls.nextAutoLevel = hls.firstLevel;
    }
    return { awaitingEncoder: true };
  }

  function onFatal(data: ErrorData): EngineEvent | null {
    if (data.type === ErrorTypes.MEDIA_ERROR && recoverable(data)) {
      hls.recoverMediaError();
      return null;
    }
    hls.stopLoad();
    const failure =
      data.type === ErrorTypes.NETWORK_ERROR ? requestFailure(data.response?.code) : MEDIA_FAILURE;
    return { failure, awaitingEncoder: false };
  }

  function recoverable(data: ErrorData): boolean {
    // A playlist without a codec that this browser has stays without it.
    if (data.details === ErrorDetails.MANIFEST_INCOMPATIBLE_CODECS_ERROR) return false;
    const now = performance.now();
    if (now - recoveredAt < RECOVERY_MS) return false;
    recoveredAt = now;
    return true;
  }

  // Auto takes what players can live on. A quality that is picked by hand is waited for.
  function bound(): LevelRange | null {
    const names = hls.levels.map((it) => variantLabel(it));
    const range = livable(names, mayTake, hls.firstLevel);
    hls.autoLevelCapping = range?.to ?? -1;
    hls.config.minAutoBitrate = range === null ? 0 : (hls.levels[range.from]?.maxBitrate ?? 0);
    return range;
  }

  function captions(id: number): string | null {
    return textTracks(hls.subtitleTracks)[id]?.id ?? null;
  }

  return {
    chooseQuality(id) {
      // currentLevel replaces what is buffered, the current segment too: nextLevel would leave
      // the picked quality unseen within the last segment, after which there is nothing to switch.
      const changes = id !== null && id !== hls.currentLevel;
      hls.currentLevel = id ?? -1;
      if (changes) redrawOnceBuffered(hls);
      emit({ quality: id });
    },
    list(names) {
      mayTake = names;
      if (hls.levels.length > 0) bound();
    },
    chooseAudio(id) {
      hls.audioTrack = id;
    },
    chooseText(id) {
      hls.subtitleDisplay = id !== null;
      hls.subtitleTrack = textTracks(hls.subtitleTracks).findIndex((it) => it.id === id);
    },
    renew(renewed) {
      current = renewed;
    },
    destroy() {
      hls.destroy();
    },
  };
}

// hls.js uses -1 for no selection.
function selected(id: number): number | null {
  return id < 0 ? null : id;
}

// A paused picture stays the old one until the media element seeks.
function redrawOnceBuffered(hls: Hls): void {
  const redraw = (_: unknown, { frag }: FragBufferedData) => {
    if (frag.type !== "main") return;
    hls.off(Events.FRAG_BUFFERED, redraw);
    const { media } = hls;
    if (media === null) return;
    const { currentTime } = media;
    media.currentTime = currentTime;
  };
  hls.on(Events.FRAG_BUFFERED, redraw);
}
