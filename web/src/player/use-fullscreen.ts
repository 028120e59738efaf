// Full screen for the whole stage, so that our controls come along; iPhones only allow it for the
// video itself.

import { type RefObject, useCallback, useEffect, useState } from "react";

interface AppleVideo extends HTMLVideoElement {
  webkitEnterFullscreen?: () => void;
}

export interface Fullscreen {
  active: boolean;
  toggle: () => void;
}

export function useFullscreen(stage: RefObject<HTMLElement | null>, media: AppleVideo): Fullscreen {
  const [active, setActive] = useState(false);

  useEffect(() => {
    const changed = () => setActive(document.fullscreenElement === stage.current);
    document.addEventListener("fullscreenchange", changed);
    return () => document.removeEventListener("fullscreenchange", changed);
  }, [stage]);

  const toggle = useCallback(() => {
    // A refusal (an iframe without the permission) leaves everything as it is.
    if (document.fullscreenElement !== null) document.exitFullscreen().catch(() => {});
    else if (document.fullscreenEnabled) stage.current?.requestFullscreen().catch(() => {});
    else media.webkitEnterFullscreen?.();
  }, [stage, media]);

  return { active, toggle };
}
