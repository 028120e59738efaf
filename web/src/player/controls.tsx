// The row of controls under the picture, with the seek bar above it.

import { clock } from "../shared/format.ts";
import { Icon } from "../shared/icons.tsx";
import styles from "./controls.module.css";
import type { Driver } from "./driver.ts";
import { RATES } from "./keyboard.ts";
import { Menu } from "./menu.tsx";
import { SeekBar } from "./seek-bar.tsx";
import type { Choice, PlayerState, Range } from "./state.ts";
import type { Fullscreen } from "./use-fullscreen.ts";
import { VolumeControl } from "./volume-control.tsx";

interface ControlsProps {
  driver: Driver;
  state: PlayerState;
  fullscreen: Fullscreen;
  /** The video's length as every page shows it; the media's own differs by a part of a frame. */
  duration: number;
  /** The parts that play without a wait, in seconds; null is all. */
  encoded: readonly Range[] | null;
  /** Faded, because nobody needs them now. */
  quiet: boolean;
  /** The name of the open menu; there is at most one. */
  openMenu: string | null;
  onMenuOpen: (name: string) => void;
  onMenuClose: (name: string) => void;
  onHelp: () => void;
}

export function Controls(props: ControlsProps) {
  const { driver, state, fullscreen, duration, encoded, quiet, onHelp } = props;
  const menu = (name: string) => ({
    name,
    open: props.openMenu === name,
    onOpen: props.onMenuOpen,
    onClose: props.onMenuClose,
  });
  const playName = state.playing ? "Pause" : state.ended ? "Play again" : "Play";
  return (
    <div className={styles.controls} data-quiet={quiet}>
      <SeekBar state={state} encoded={encoded} onSeek={(seconds) => driver.seek(seconds)} />
      <div className={styles.row}>
        <button
          type="button"
          className={styles.control}
          aria-label={playName}
          title={`${playName} (k)`}
          onClick={() => driver.toggle()}
        >
          <Icon name={state.playing ? "pause" : state.ended ? "replay" : "play"} size={24} />
        </button>
        <VolumeControl driver={driver} state={state} />
        <span className={styles.time}>
          {clock(state.ended ? duration : Math.min(state.seconds, duration))}{" "}
          <span className={styles.dim}>/ {clock(duration)}</span>
        </span>
        <span className={styles.spacer} />
        {state.textTracks.length > 0 && (
          <Menu
            {...menu("Captions")}
            icon="captions"
            active={state.textTrack !== null}
            choices={[{ id: null, label: "Off" }, ...state.textTracks]}
            chosen={state.textTrack}
            onChoose={(id) => driver.setTextTrack(id)}
          />
        )}
        {state.audioTracks.length > 1 && (
          <Menu
            {...menu("Audio track")}
            icon="audio"
            choices={state.audioTracks}
            chosen={state.audioTrack}
            onChoose={(id) => id !== null && driver.setAudioTrack(id)}
          />
        )}
        <Menu
          {...menu("Speed")}
          icon="speed"
          active={state.rate !== 1}
          choices={RATES.map((rate) => ({ id: rate, label: rateLabel(rate) }))}
          chosen={state.rate}
          onChoose={(rate) => driver.setRate(rate)}
        />
        {state.qualities.length > 0 && (
          <Menu
            {...menu("Quality")}
            icon="quality"
            choices={[
              { id: null, label: "Auto", note: autoNote(state) },
              ...offeredQualities(state),
            ]}
            chosen={state.quality}
            onChoose={(id) => driver.setQuality(id)}
          />
        )}
        <button
          type="button"
          className={`${styles.control} ${styles.wideOnly}`}
          aria-label="Keyboard shortcuts"
          title="Keyboard shortcuts (?)"
          onClick={onHelp}
        >
          <Icon name="keyboard" size={22} />
        </button>
        {document.pictureInPictureEnabled && !state.soundOnly && (
          <button
            type="button"
            className={`${styles.control} ${styles.wideOnly}`}
            aria-label="Picture in picture"
            aria-pressed={state.pictureInPicture}
            title="Picture in picture"
            onClick={() => void driver.togglePictureInPicture()}
          >
            <Icon name="pip" size={22} />
          </button>
        )}
        <button
          type="button"
          className={styles.control}
          aria-label={fullscreen.active ? "Leave full screen" : "Full screen"}
          title={fullscreen.active ? "Leave full screen (f)" : "Full screen (f)"}
          onClick={fullscreen.toggle}
        >
          <Icon name={fullscreen.active ? "shrink" : "fullscreen"} size={22} />
        </button>
      </div>
    </div>
  );
}

function rateLabel(rate: number): string {
  return rate === 1 ? "Normal" : `${rate}×`;
}

/** Returns the qualities; those that Auto does not take yet say why. */
function offeredQualities({ qualities, listed }: PlayerState): (Choice & { note?: string })[] {
  const isLate = ({ label }: Choice) => listed !== null && !listed.includes(label);
  return qualities.map((it) => (isLate(it) ? { ...it, note: "being encoded" } : it));
}

// Auto shows the quality that it has picked; a chosen quality needs no such note.
function autoNote({ quality, currentQuality, qualities }: PlayerState): string {
  if (quality !== null) return "";
  const current: Choice | undefined = qualities.find((it) => it.id === currentQuality);
  return current?.label ?? "";
}
