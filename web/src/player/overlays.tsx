// The overlays on the picture: the big Play button, the spinner and the failure.

import { Icon } from "../shared/icons.tsx";
import styles from "./player.module.css";
import type { Failure, PlayerState } from "./state.ts";

interface WaitingProps {
  state: PlayerState;
  onPlay: () => void;
}

export function WaitingOverlay({ state, onPlay }: WaitingProps) {
  const waiting = state.buffering && (state.playing || state.duration === 0);
  // The controls' own button serves the keyboard; this one is the large target for a finger.
  const inviting = !state.playing && !waiting;
  return (
    <>
      {inviting && (
        <button
          type="button"
          className={styles.bigPlay}
          tabIndex={-1}
          aria-hidden="true"
          onClick={onPlay}
        >
          <Icon name={state.ended ? "replay" : "play"} size={36} />
        </button>
      )}
      <div className={styles.waiting} role="status">
        {waiting && <span className={styles.spinner} />}
        {waiting && !state.awaitingEncoder && <span className="visually-hidden">Loading</span>}
        {state.awaitingEncoder && waiting && (
          <p className={styles.note}>This part is still being encoded. It plays when it is done.</p>
        )}
      </div>
    </>
  );
}

interface FailureProps {
  failure: Failure;
  onRetry: () => void;
}

export function FailureOverlay({ failure, onRetry }: FailureProps) {
  return (
    <div className={styles.failure} role="alert">
      <Icon name="alert" size={36} />
      <h2>{failure.title}</h2>
      <p>{failure.detail}</p>
      {(failure.kind === "network" || failure.kind === "media") && (
        <button type="button" className="button" onClick={onRetry}>
          <Icon name="replay" /> Retry
        </button>
      )}
    </div>
  );
}
