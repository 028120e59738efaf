// A line of text to be copied: an address, a command, a token.

import { useId, useState } from "react";
import styles from "./copy-field.module.css";
import { Icon } from "./icons.tsx";

export function CopyField({ name, text }: { name: string; text: string }) {
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
