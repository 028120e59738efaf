// Mute, and the volume where there is room for a slider.

import type { CSSProperties } from "react";
import { percent } from "../shared/format.ts";
import { Icon } from "../shared/icons.tsx";
import styles from "./controls.module.css";
import type { Driver } from "./driver.ts";
import type { PlayerState } from "./state.ts";

export function VolumeControl({ driver, state }: { driver: Driver; state: PlayerState }) {
  const silent = state.muted || state.volume === 0;
  const level = silent ? 0 : state.volume;
  return (
    <div className={styles.volume}>
      <button
        type="button"
        className={styles.control}
        aria-label={silent ? "Unmute" : "Mute"}
        title={silent ? "Unmute (m)" : "Mute (m)"}
        onClick={() => driver.toggleMuted()}
      >
        <Icon name={silent ? "muted" : "volume"} size={22} />
      </button>
      <input
        type="range"
        className={styles.volumeInput}
        aria-label="Volume"
        aria-valuetext={percent(level)}
        min={0}
        max={1}
        step={0.05}
        value={level}
        style={{ "--level": percent(level).replace(" ", "") } as CSSProperties}
        onChange={(event) => driver.setVolume(event.target.valueAsNumber)}
      />
    </div>
  );
}
