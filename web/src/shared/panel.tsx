// The parts of a page of settings: a panel with its heading, and a list of things that can be taken away one by one.

import { type ReactNode, type Ref, useId } from "react";
import styles from "./panel.module.css";

interface PanelProps {
  title: string;
  /** Takes the focus when the row that had it is gone. */
  heading?: Ref<HTMLHeadingElement>;
  children: ReactNode;
}

export function Panel({ title, heading, children }: PanelProps) {
  const id = useId();
  return (
    <section className={styles.panel} aria-labelledby={id}>
      <h2 id={id} ref={heading} tabIndex={-1}>
        {title}
      </h2>
      {children}
    </section>
  );
}

export function Panels({ children }: { children: ReactNode }) {
  return <div className={styles.panels}>{children}</div>;
}

interface RowProps {
  title: ReactNode;
  facts: string;
  /** The buttons at its end. */
  children?: ReactNode;
}

export function Row({ title, facts, children }: RowProps) {
  return (
    <li className={styles.row}>
      <div className={styles.text}>
        <p className={styles.title} dir="auto">
          {title}
        </p>
        <p className={styles.facts} dir="auto">
          {facts}
        </p>
      </div>
      {children !== undefined && <div className={styles.ways}>{children}</div>}
    </li>
  );
}

export function Rows({ name, children }: { name: string; children: ReactNode }) {
  return (
    <ul className={styles.rows} aria-label={name}>
      {children}
    </ul>
  );
}
