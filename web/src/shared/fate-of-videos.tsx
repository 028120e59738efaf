// What becomes of the videos of an account that is deleted: they go with it, or another account gets them.

import type { ReactNode } from "react";
import styles from "./dialog.module.css";

/** The id of the account that gets them; null deletes them. */
export type Heir = string | null;

interface FateOfVideosProps {
  heir: Heir;
  onChoose: (heir: Heir) => void;
  /** The field in which the other account is chosen. */
  children: ReactNode;
}

export function FateOfVideos({ heir, onChoose, children }: FateOfVideosProps) {
  return (
    <>
      <fieldset className={styles.choice}>
        <legend>The videos</legend>
        <label>
          <input
            type="radio"
            name="videos"
            checked={heir === null}
            onChange={() => onChoose(null)}
          />
          Delete them
          <span>Nothing brings them back.</span>
        </label>
        <label>
          <input type="radio" name="videos" checked={heir !== null} onChange={() => onChoose("")} />
          Hand them over
          <span>Another account gets them as they are, with their links and captions.</span>
        </label>
      </fieldset>
      {heir !== null && children}
    </>
  );
}
