// The video's addresses, and the commands that play it without this page.

import { useId, useState } from "react";
import type { Video } from "../../api/document.ts";
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

function CopyField({ name, text }: { name: string; text: string }) {
  const [copied, setCopied] = useState(false);
  const id = useId();
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Only secure pages may write to the clipboard; over plain HTTP the selection is the way.
      const field = document.getElementById(id);
      if (field instanceof HTMLInputElement) field.select();
      if (!document.execCommand("copy")) return;
    }
    setCopied(true);
    window.setTimeout(() => setCopied(false), 2000);
  };
  return (
    <div className={styles.copyField}>
      <label htmlFor={id}>{name}</label>
      <input id={id} readOnly value={text} onFocus={(event) => event.target.select()} />
      <button type="button" className="icon-button" aria-label={`Copy ${name}`} onClick={copy}>
        <Icon name={copied ? "check" : "copy"} size={18} />
      </button>
      <span className="visually-hidden" role="status">
        {copied ? "Copied" : ""}
      </span>
    </div>
  );
}
