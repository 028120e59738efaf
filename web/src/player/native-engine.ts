// HLS by the browser itself: Safari on iPhones, where hls.js has no Media Source to work with. The
// browser picks the quality there, so the menu has no entries for it.

import type { Engine, Start } from "./engine.ts";
import { MEDIA_FAILURE, requestFailure, textTracks } from "./state.ts";

const HLS_TYPE = "application/vnd.apple.mpegurl";

export function supported(media: HTMLVideoElement): boolean {
  return media.canPlayType(HLS_TYPE) !== "";
}

export function start({ media, url, from, emit }: Start): Engine {
  const stop = new AbortController();
  const { signal } = stop;

  const captions = () =>
    [...media.textTracks].filter((it) => it.kind === "subtitles" || it.kind === "captions");
  const choices = () => textTracks(captions().map((it) => ({ name: it.label, lang: it.language })));
  const emitTexts = () => {
    const shown = captions().findIndex((it) => it.mode === "showing");
    emit({ textTracks: choices(), textTrack: choices()[shown]?.id ?? null });
  };

  media.addEventListener(
    "loadedmetadata",
    () => {
      if (from > 0) media.currentTime = from;
      emitTexts();
    },
    { signal },
  );
  media.textTracks.addEventListener("addtrack", emitTexts, { signal });
  media.textTracks.addEventListener("change", emitTexts, { signal });
  media.addEventListener(
    "error",
    () => {
      const network = media.error?.code === MediaError.MEDIA_ERR_NETWORK;
      emit({ failure: network ? requestFailure(undefined) : MEDIA_FAILURE });
    },
    { signal },
  );
  media.src = url;

  return {
    chooseQuality() {},
    list() {},
    chooseAudio() {},
    chooseText(id) {
      const list = choices();
      for (const [index, track] of captions().entries()) {
        track.mode = id !== null && list[index]?.id === id ? "showing" : "disabled";
      }
    },
    // The browser fetches by itself, with the ticket that it began with.
    renew() {},
    destroy() {
      stop.abort();
      media.removeAttribute("src");
      media.load();
    },
  };
}
