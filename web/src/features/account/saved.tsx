// The outcome of a form, in words that a screen reader reads out as they come.

import styles from "./account.module.css";

export function Saved({ text }: { text: string }) {
  return (
    <p className={styles.saved} role="status">
      {text}
    </p>
  );
}
