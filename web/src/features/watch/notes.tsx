// The notes on a video: what its file has and the video has not, or has in another way.

import { useId } from "react";
import { Message } from "../../shared/message.tsx";
import styles from "./watch.module.css";

export function Notes({ notes }: { notes: string[] }) {
  const heading = useId();
  if (notes.length === 0) return null;
  return (
    <section className={styles.notes} aria-labelledby={heading}>
      <h2 id={heading}>About this file</h2>
      <ul>
        {notes.map((note, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two streams that are left out may have one sentence
          <li key={place} dir="auto">
            <Message text={note} />
          </li>
        ))}
      </ul>
    </section>
  );
}
