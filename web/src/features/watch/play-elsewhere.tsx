// The video's addresses, and the commands that play it without this page.

import type { Video } from "../../api/document.ts";
import { CopyField } from "../../shared/copy-field.tsx";
import { Icon } from "../../shared/icons.tsx";
import { commands } from "./commands.ts";
import styles from "./watch.module.css";

export function PlayElsewhere({ playback }: { playback: NonNullable<Video["playback"]> }) {
  return (
    <details className={styles.elsewhere}>
      <summary>
        <Icon name="chevron" size={18} /> Play elsewhere
      </summary>
      {commands(playback, window.location.origin).map(({ name, text }) => (
        <CopyField key={name} name={name} text={text} />
      ))}
    </details>
  );
}
