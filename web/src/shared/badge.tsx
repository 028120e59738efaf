// A word beside a name: what is special about it.

import styles from "./panel.module.css";

export function Badge({ children }: { children: string }) {
  return <span className={styles.badge}>{children}</span>;
}
