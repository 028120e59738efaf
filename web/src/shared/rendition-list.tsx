// The encoding progress of each rendition of a video.

import type { Rendition } from "../api/document.ts";
import { percent } from "./format.ts";
import { pace, renditionFraction, renditionLabel } from "./progress.ts";
import { ProgressBar } from "./progress-bar.tsx";
import styles from "./rendition-list.module.css";

export function RenditionList({ renditions }: { renditions: Rendition[] }) {
  return (
    <ul className={styles.list} aria-label="Renditions">
      {renditions.map((rendition) => {
        const fraction = renditionFraction(rendition);
        const label = renditionLabel(rendition);
        return (
          <li key={rendition.name}>
            <span dir="auto">{label}</span>
            <ProgressBar label={label} fraction={fraction} />
            <span className={styles.share}>{percent(fraction)}</span>
            <span className={styles.pace}>{pace(rendition)}</span>
          </li>
        );
      })}
    </ul>
  );
}
