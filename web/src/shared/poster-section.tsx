// The poster of a video in its dialog: what it is, a picture in its place, and the way back to the automatic one.

import { useId, useRef } from "react";
import type { Video } from "../api/document.ts";
import { choosePicture, resetPoster } from "../api/poster.ts";
import { ErrorText } from "./error-text.tsx";
import { Icon } from "./icons.tsx";
import styles from "./poster-section.module.css";
import { usePoster } from "./use-poster.ts";

// The server's list; a browser that does not keep to it meets the server's refusal.
const ACCEPT = "image/jpeg,image/png,image/webp";

export function PosterSection({ video }: { video: Video }) {
  const { busy, status, failure, choose } = usePoster(video.id);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();

  return (
    <section className={styles.poster} aria-labelledby={`${id}-heading`}>
      <h3 id={`${id}-heading`}>Poster</h3>
      <p>It stands for the video in lists, and before it plays.</p>
      <div className={styles.choice}>
        {video.poster === null ? (
          <div className={styles.none}>
            <Icon name="film" size={28} />
          </div>
        ) : (
          <img src={video.posterSmall ?? video.poster} alt="The poster as it is" />
        )}
        <div className={styles.ways}>
          <button
            type="button"
            className="button quiet small"
            aria-disabled={busy}
            onClick={() => !busy && input.current?.click()}
          >
            <Icon name="upload" size={18} /> Upload picture
          </button>
          <button
            type="button"
            className="button quiet small"
            aria-disabled={busy}
            onClick={() => !busy && choose(() => resetPoster(video.id))}
          >
            Automatic
          </button>
        </div>
      </div>
      <input
        ref={input}
        type="file"
        hidden
        accept={ACCEPT}
        aria-label="Picture for the poster"
        onChange={(event) => {
          const file = event.target.files?.[0];
          // The same file may be chosen again after a failure.
          event.target.value = "";
          if (file !== undefined) choose(() => choosePicture(video.id, file));
        }}
      />
      <p role="status" className={styles.status}>
        {status}
      </p>
      <ErrorText text={failure} />
    </section>
  );
}
