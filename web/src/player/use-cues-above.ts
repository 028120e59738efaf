// Captions at the top of the picture: they stay where they are while the lower ones rise above the controls, or they would leave it.

import { useCallback, useSyncExternalStore } from "react";

/** Returns whether words are shown in the upper half of the picture. */
export function useCuesAbove(media: HTMLVideoElement): boolean {
  const subscribe = useCallback(
    (changed: () => void) => {
      const { textTracks } = media;
      const follow = () => {
        for (const track of textTracks) track.addEventListener("cuechange", changed);
      };
      follow();
      textTracks.addEventListener("addtrack", follow);
      textTracks.addEventListener("change", changed);
      return () => {
        textTracks.removeEventListener("addtrack", follow);
        textTracks.removeEventListener("change", changed);
        for (const track of textTracks) track.removeEventListener("cuechange", changed);
      };
    },
    [media],
  );
  return useSyncExternalStore(subscribe, () => hasCuesAbove(media));
}

function hasCuesAbove({ textTracks }: HTMLVideoElement): boolean {
  const shown = [...textTracks].filter((it) => it.mode === "showing");
  return shown.flatMap((it) => [...(it.activeCues ?? [])]).some(isAbove);
}

// Lines count from the top from 0 on, and from the bottom below that; without snapping they are percents.
function isAbove(cue: TextTrackCue): boolean {
  if (!(cue instanceof VTTCue) || cue.line === "auto") return false;
  return cue.line >= 0 && (cue.snapToLines || cue.line < 50);
}
