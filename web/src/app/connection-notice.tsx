// The notice that the server has gone: without it a page that stands still looks like one where nothing happens.

import { useSyncExternalStore } from "react";
import { isServerLost, subscribeServerLost } from "../api/events.ts";
import { Icon } from "../shared/icons.tsx";
import styles from "./app.module.css";

export function ConnectionNotice() {
  const lost = useSyncExternalStore(subscribeServerLost, isServerLost);
  return (
    <div className={styles.notice} role="status">
      {lost && (
        <p>
          <Icon name="alert" /> The server does not answer. This page goes on by itself once it
          does.
        </p>
      )}
    </div>
  );
}
