// The seek bar: a native range input, so that keyboards and screen readers know it, under a drawn
// track with what is buffered and the time under the pointer.

import { type KeyboardEvent, type PointerEvent, useState } from "react";
import { clamp, clock, spokenTime } from "../shared/format.ts";
import styles from "./controls.module.css";
import { command } from "./keyboard.ts";
import type { PlayerState, Range } from "./state.ts";

interface SeekBarProps {
  state: PlayerState;
  /** The parts that play without a wait, in seconds; null is all. */
  encoded: readonly Range[] | null;
  onSeek: (seconds: number) => void;
}

export function SeekBar({ state, encoded, onSeek }: SeekBarProps) {
  const { seconds, duration, buffered } = state;
  const [hover, setHover] = useState<number | null>(null);
  const share = (at: number) => `${duration > 0 ? clamp(at / duration, 0, 1) * 100 : 0}%`;

  const point = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    setHover(clamp((event.clientX - box.left) / box.width, 0, 1) * duration);
  };
  const press = (event: KeyboardEvent) => {
    // The input would move by its own step; the player's 5 seconds are the same everywhere.
    const pressed = event.key.startsWith("Arrow") ? command(event) : null;
    if (pressed?.do !== "seek-by") return;
    event.preventDefault();
    onSeek(seconds + pressed.seconds);
  };

  return (
    <div
      className={styles.seek}
      onPointerMove={point}
      onPointerLeave={() => setHover(null)}
      data-ready={duration > 0}
    >
      <div className={styles.track}>
        {encoded?.map(({ start, end }) => (
          <span
            key={start}
            className={styles.encoded}
            style={{ left: share(start), width: share(end - start) }}
          />
        ))}
        {buffered.map(({ start, end }) => (
          <span
            key={start}
            className={styles.buffered}
            style={{ left: share(start), width: share(end - start) }}
          />
        ))}
        <span className={styles.played} style={{ width: share(seconds) }} />
      </div>
      <span className={styles.knob} style={{ left: share(seconds) }} />
      {hover !== null && duration > 0 && (
        <span className={styles.hoverTime} style={{ left: share(hover) }} aria-hidden="true">
          {clock(hover)}
        </span>
      )}
      <input
        type="range"
        className={styles.seekInput}
        aria-label="Seek"
        aria-valuetext={`${spokenTime(seconds)} of ${spokenTime(duration)}`}
        min={0}
        max={duration || 1}
        step="any"
        value={Math.min(seconds, duration || 1)}
        disabled={duration <= 0}
        onChange={(event) => onSeek(event.target.valueAsNumber)}
        onKeyDown={press}
      />
    </div>
  );
}
