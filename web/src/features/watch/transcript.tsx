// The transcript beside the video: it follows playback, a press on a line seeks to it, and each line can be
// corrected in its place.

import { memo, useEffect, useId, useRef, useState, useSyncExternalStore } from "react";
import type { Captions, Cue } from "../../api/caption-document.ts";
import { sentence } from "../../api/request.ts";
import type { Driver } from "../../player/driver.ts";
import { ErrorText } from "../../shared/error-text.tsx";
import { clock } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { Message } from "../../shared/message.tsx";
import { ProgressBar } from "../../shared/progress-bar.tsx";
import { captionLabel, captionState, fractionDone, readerState } from "./caption-words.ts";
import { CueEditor } from "./cue-editor.tsx";
import { cueAt } from "./cue-times.ts";
import styles from "./transcript.module.css";
import { useCues } from "./use-cues.ts";

interface TranscriptProps {
  video: string;
  tracks: Captions[];
  durationSeconds: number | null;
  driver: Driver;
  mayEdit: boolean;
  onManage: () => void;
}

export function Transcript(props: TranscriptProps) {
  const { video, tracks, durationSeconds, driver, mayEdit, onManage } = props;
  const onPicture = useSyncExternalStore(
    driver.subscribe,
    () => driver.state().textTrack ?? driver.state().preferredText,
  );
  // Only for tracks that players do not have yet; the others are chosen for the picture too.
  const [chosen, setChosen] = useState<string | null>(null);
  const track = pick(tracks, chosen, onPicture);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new choice for the picture goes before an older one here
  useEffect(() => setChosen(null), [onPicture]);
  const { cues, put } = useCues(video, track);
  const [editing, setEditing] = useState<number | null>(null);
  const select = useId();

  const saved = (number: number, cue: Cue | null) => {
    setEditing(null);
    put(number, cue);
    if (track?.name) driver.correctCue(track.name, { name: String(number), cue });
  };

  return (
    <section className={styles.transcript} aria-label="Transcript">
      <header className={styles.head}>
        {tracks.length > 1 ? (
          <>
            <label htmlFor={select} className="visually-hidden">
              Transcript in
            </label>
            <select
              id={select}
              value={track?.id ?? ""}
              onChange={(event) => {
                const next = tracks.find((it) => it.id === event.target.value);
                const offered = next?.listed === true && next.name !== null && !next.forced;
                setChosen(offered ? null : event.target.value);
                if (offered && next.name !== null) driver.preferTextTrack(next.name);
                setEditing(null);
              }}
            >
              {tracks.map((it) => (
                <option key={it.id} value={it.id} dir="auto">
                  {captionLabel(it)}
                </option>
              ))}
            </select>
          </>
        ) : (
          <h2 dir="auto">{track === null ? "Transcript" : captionLabel(track)}</h2>
        )}
        {mayEdit && (
          <button
            type="button"
            className="button quiet small"
            aria-label="Manage captions"
            onClick={onManage}
          >
            <Icon name="captions" size={18} /> Manage
          </button>
        )}
      </header>
      {track !== null && track.state !== "done" && (
        <div className={styles.state} role="status">
          <p>
            <Message text={mayEdit ? captionState(track, durationSeconds) : readerState(track)} />
          </p>
          {/* One that waits for a model or its turn may wait for ever: its sentence says so, and a bar would promise more. */}
          {mayEdit && track.state === "running" && (
            <ProgressBar label="Captions" fraction={fractionDone(track, durationSeconds)} />
          )}
        </div>
      )}
      {track === null && <p className={styles.state}>This video has no captions yet.</p>}
      {cues.state === "failed" && (
        <div className={styles.state}>
          <ErrorText text={sentence(cues.problem)} />
        </div>
      )}
      {cues.state === "ready" && track !== null && (
        <Lines
          video={video}
          track={track.id}
          cues={cues.value}
          driver={driver}
          editing={editing}
          onEdit={mayEdit ? setEditing : null}
          onSaved={saved}
        />
      )}
    </section>
  );
}

/** Returns the track that was chosen here alone, else the picture's, else the first with words. */
function pick(tracks: Captions[], chosen: string | null, shown: string | null): Captions | null {
  return (
    tracks.find((it) => it.id === chosen) ??
    tracks.find((it) => it.name !== null && it.name === shown) ??
    tracks.find((it) => it.listed && !it.forced) ??
    tracks.find((it) => it.listed) ??
    tracks[0] ??
    null
  );
}

interface LinesProps {
  video: string;
  track: string;
  cues: Cue[];
  driver: Driver;
  editing: number | null;
  /** Null where the words may only be read. */
  onEdit: ((number: number | null) => void) | null;
  onSaved: (number: number, cue: Cue | null) => void;
}

function Lines({ video, track, cues, driver, editing, onEdit, onSaved }: LinesProps) {
  const list = useRef<HTMLOListElement>(null);
  const at = useSyncExternalStore(driver.subscribe, () => cueAt(cues, driver.state().seconds));
  const current = cues[at]?.number ?? null;

  useEffect(() => {
    const frame = list.current;
    if (frame === null || current === null) return;
    // Scrolling would pull a reader or an editor away from a line.
    if (frame.matches(":hover, :focus-within")) return;
    const line = frame.querySelector<HTMLElement>("[aria-current=true]");
    // Not scrollIntoView, which would move the page as well.
    if (line) frame.scrollTo({ top: line.offsetTop - frame.clientHeight / 3 });
  }, [current]);

  const close = (number: number) => {
    onEdit?.(null);
    // The focus goes back to where it was, once the line is there again.
    requestAnimationFrame(() =>
      list.current?.querySelector<HTMLElement>(`[data-cue="${number}"] button`)?.focus(),
    );
  };

  return (
    <ol ref={list} className={styles.lines}>
      {cues.map((cue) =>
        cue.number === editing ? (
          <li key={cue.number} data-cue={cue.number}>
            <CueEditor
              video={video}
              track={track}
              cue={cue}
              onClose={() => close(cue.number)}
              onSaved={(saved) => {
                onSaved(cue.number, saved);
                close(cue.number);
              }}
            />
          </li>
        ) : (
          <Line
            key={cue.number}
            cue={cue}
            current={cue.number === current}
            driver={driver}
            onEdit={onEdit}
          />
        ),
      )}
    </ol>
  );
}

interface LineProps {
  cue: Cue;
  current: boolean;
  driver: Driver;
  onEdit: ((number: number) => void) | null;
}

// Remembered, because a long film has thousands of lines and one of them changes at a time.
const Line = memo(function Line({ cue, current, driver, onEdit }: LineProps) {
  return (
    <li
      className={styles.line}
      data-cue={cue.number}
      {...(current && { "aria-current": "true" as const })}
    >
      <button type="button" className={styles.jump} onClick={() => driver.seek(cue.start)}>
        <span className={styles.time}>{clock(cue.start)}</span>
        <span className={styles.words} dir="auto">
          {cue.text}
        </span>
      </button>
      {onEdit !== null && (
        <button
          type="button"
          className="icon-button"
          aria-label={`Correct the cue at ${clock(cue.start)}`}
          title="Correct"
          onClick={() => onEdit(cue.number)}
        >
          <Icon name="edit" size={16} />
        </button>
      )}
    </li>
  );
});
