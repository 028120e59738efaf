// A failed request as a page shows it: what happened, and the way out.

import { type Problem, sentence } from "../api/request.ts";
import { Icon } from "./icons.tsx";
import { Message } from "./message.tsx";
import styles from "./trouble.module.css";

export function Trouble({ problem, onRetry }: { problem: Problem; onRetry: () => void }) {
  return (
    <div className={styles.trouble} role="alert">
      <Icon name="alert" size={32} />
      <p>
        <Message text={sentence(problem)} />
      </p>
      <button type="button" className="button quiet" onClick={onRetry}>
        <Icon name="replay" /> Try again
      </button>
    </div>
  );
}
