// The player's view: the stage with the picture, its overlays, and the controls. Renders the
// driver's state and passes every command on to it.

import {
  type MouseEvent,
  type PointerEvent,
  useCallback,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import { Icon } from "../shared/icons.tsx";
import { Controls } from "./controls.tsx";
import type { Driver, Source } from "./driver.ts";
import { HelpDialog } from "./help-dialog.tsx";
import { belongsTo, type Command, command, nextRate } from "./keyboard.ts";
import { FailureOverlay, WaitingOverlay } from "./overlays.tsx";
import styles from "./player.module.css";
import type { Range } from "./state.ts";
import { skipOf, type Tap } from "./taps.ts";
import { useCuesAbove } from "./use-cues-above.ts";
import { useFullscreen } from "./use-fullscreen.ts";
import { useIdle } from "./use-idle.ts";

interface PlayerProps extends Source {
  driver: Driver;
  title: string;
  /** The video's length by its document; null while that does not know it. */
  durationSeconds: number | null;
  /** The parts that play without a wait while it is encoded, in seconds; null is all. */
  encoded: readonly Range[] | null;
}

export function Player(props: PlayerProps) {
  const { driver, url, ladder, poster, autoplay, from, title, durationSeconds, encoded } = props;
  const state = useSyncExternalStore(driver.subscribe, driver.state);
  const stage = useRef<HTMLElement>(null);
  const picture = useRef<HTMLDivElement>(null);
  const lastTap = useRef<Tap | null>(null);
  const [help, setHelp] = useState(false);
  const [openMenu, setOpenMenu] = useState<string | null>(null);
  const fullscreen = useFullscreen(stage, driver.media);
  const idle = useIdle(stage);
  const cuesAbove = useCuesAbove(driver.media);

  useEffect(() => {
    picture.current?.append(driver.media);
  }, [driver]);

  useEffect(() => {
    driver.load({ url, ladder, poster, autoplay, from });
    return () => driver.unload();
  }, [driver, url, ladder, poster, autoplay, from]);

  useEffect(() => {
    driver.media.setAttribute("aria-label", title);
  }, [driver, title]);

  // A menu that closes late must not close the one that was opened after it.
  const closeMenu = useCallback(
    (name: string) => setOpenMenu((current) => (current === name ? null : current)),
    [],
  );

  const execute = useCallback(
    (command: Command) => {
      switch (command.do) {
        case "toggle":
          return driver.toggle();
        case "seek-by":
          return driver.seekBy(command.seconds);
        case "seek-to":
          return driver.seek(command.fraction * driver.state().duration);
        case "volume-by":
          return driver.setVolume(driver.state().volume + command.step);
        case "rate-by":
          return driver.setRate(nextRate(driver.state().rate, command.step));
        case "mute":
          return driver.toggleMuted();
        case "captions":
          return driver.toggleCaptions();
        case "fullscreen":
          return fullscreen.toggle();
        case "help":
          return setHelp(true);
      }
    },
    [driver, fullscreen.toggle],
  );

  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || belongsTo(event.target, event.key)) return;
      const pressed = command(event);
      if (pressed === null) return;
      event.preventDefault();
      idle.stir();
      execute(pressed);
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [execute, idle.stir]);

  // A mouse click plays and pauses; a tap only shows and hides the controls, as on every phone.
  const press = (event: PointerEvent<HTMLElement>) => {
    if (event.pointerType === "mouse") {
      lastTap.current = null;
      if (event.button === 0) driver.toggle();
      return;
    }
    const box = event.currentTarget.getBoundingClientRect();
    const tap = { at: event.timeStamp, x: (event.clientX - box.left) / box.width };
    const skip = skipOf(lastTap.current, tap);
    lastTap.current = tap;
    if (skip !== 0) {
      idle.stir();
      driver.seekBy(skip);
    } else if (idle.isIdle) idle.stir();
    else idle.rest();
  };

  // Browsers send dblclick for two taps as well, which skip.
  const pressTwice = (event: MouseEvent) => {
    if (lastTap.current === null && event.button === 0) fullscreen.toggle();
  };

  const quiet = idle.isIdle && state.playing && openMenu === null && state.failure === null;
  return (
    <section
      ref={stage}
      className={styles.stage}
      data-quiet={quiet}
      data-fullscreen={fullscreen.active}
      data-menu={openMenu !== null}
      data-cues-above={cuesAbove}
      aria-label="Video player"
    >
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the Play button is the accessible way */}
      <div
        ref={picture}
        className={styles.picture}
        onPointerUp={press}
        onDoubleClick={pressTwice}
      />
      {state.soundOnly && poster === null && (
        <div className={styles.sound} aria-hidden="true">
          <Icon name="audio" size={72} />
        </div>
      )}
      {state.failure === null && <WaitingOverlay state={state} onPlay={() => driver.toggle()} />}
      {state.failure !== null && (
        <FailureOverlay failure={state.failure} onRetry={() => driver.reload()} />
      )}
      {state.failure === null && (
        <Controls
          driver={driver}
          state={state}
          fullscreen={fullscreen}
          duration={durationSeconds ?? state.duration}
          encoded={encoded}
          quiet={quiet}
          openMenu={openMenu}
          onMenuOpen={setOpenMenu}
          onMenuClose={closeMenu}
          onHelp={() => setHelp(true)}
        />
      )}
      {help && <HelpDialog onClose={() => setHelp(false)} />}
    </section>
  );
}
