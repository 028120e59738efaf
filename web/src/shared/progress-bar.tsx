// One bar for every progress: uploads, encodings, renditions.

import { percent } from "./format.ts";
import styles from "./progress-bar.module.css";

interface ProgressBarProps {
  label: string;
  /** 0 to 1; null while there is nothing to measure. */
  fraction: number | null;
  still?: boolean;
}

export function ProgressBar({ label, fraction, still = false }: ProgressBarProps) {
  const measured = fraction !== null;
  return (
    <div
      className={styles.bar}
      data-measured={measured}
      data-still={still}
      role="progressbar"
      aria-label={label}
      {...(measured && {
        "aria-valuenow": Math.floor(fraction * 100),
        "aria-valuetext": percent(fraction),
      })}
    >
      <span style={{ width: measured ? `${fraction * 100}%` : "35%" }} />
    </div>
  );
}
