// The mark and the name: a play button, cut in two.

import styles from "./app.module.css";

export function Logo() {
  return (
    <span className={styles.logo}>
      <svg aria-hidden="true" viewBox="0 0 32 32" width="30" height="30">
        <rect width="32" height="32" rx="8" fill="var(--accent)" />
        <path
          d="M10.5 8.200v6.100l12.1-1.200a1.2 1.2 0 0 0 .2-.1L12.9 6.900a1.6 1.6 0 0 0-2.4 1.300Z"
          fill="#fff"
        />
        <path
          d="M10.5 17.300v6.500a1.6 1.6 0 0 0 2.4 1.300l12-7.700a1.6 1.6 0 0 0 .5-1.600Z"
          fill="#fff"
        />
      </svg>
      <span className={styles.name}>Clip Cut</span>
    </span>
  );
}
