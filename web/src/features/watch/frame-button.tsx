// The button that makes the frame on the screen the video's poster.

import type { Video } from "../../api/document.ts";
import { chooseFrame } from "../../api/poster.ts";
import type { Driver } from "../../player/driver.ts";
import { ErrorText } from "../../shared/error-text.tsx";
import { Icon } from "../../shared/icons.tsx";
import { usePoster } from "../../shared/use-poster.ts";
import styles from "./watch.module.css";

interface FrameButtonProps {
  video: Video;
  driver: Driver;
}

export function FrameButton({ video, driver }: FrameButtonProps) {
  const { busy, status, failure, choose } = usePoster(video.id);
  // The element's own clock, for the state's is a moment behind while it plays.
  const take = () => choose(() => chooseFrame(video.id, driver.media.currentTime));
  return (
    <>
      <button
        type="button"
        className="button quiet small"
        aria-disabled={busy}
        onClick={() => !busy && take()}
      >
        <Icon name="film" size={18} /> Use this frame
      </button>
      <div className={styles.outcome}>
        <p role="status">{status}</p>
        <ErrorText text={failure} />
      </div>
    </>
  );
}
