// One cue being corrected, in its place in the transcript. Escape leaves it as it was, Ctrl and Enter saves.

import { type FormEvent, type KeyboardEvent, useId, useState } from "react";
import type { Cue } from "../../api/caption-document.ts";
import { deleteCue, editCue } from "../../api/captions.ts";
import { sentence } from "../../api/request.ts";
import { ErrorText } from "../../shared/error-text.tsx";
import { readTime, timeText } from "./cue-times.ts";
import styles from "./transcript.module.css";

interface CueEditorProps {
  video: string;
  track: string;
  cue: Cue;
  onClose: () => void;
  /** Null: the cue is deleted. */
  onSaved: (cue: Cue | null) => void;
}

export function CueEditor({ video, track, cue, onClose, onSaved }: CueEditorProps) {
  const [text, setText] = useState(cue.text);
  const [start, setStart] = useState(timeText(cue.start));
  const [end, setEnd] = useState(timeText(cue.end));
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const id = useId();

  const save = async (event: FormEvent) => {
    event.preventDefault();
    const [from, to] = [readTime(start), readTime(end)];
    if (from === null || to === null) return setFailure("A time is written as 1:02.500.");
    if (to <= from) return setFailure("A cue ends after it starts.");
    setBusy(true);
    const outcome = await editCue(video, track, { ...cue, start: from, end: to, text });
    setBusy(false);
    if (outcome.state === "failed") return setFailure(sentence(outcome.problem));
    onSaved(outcome.value);
  };

  const remove = async () => {
    setBusy(true);
    const outcome = await deleteCue(video, track, cue.number);
    setBusy(false);
    // Somebody else was quicker: it is gone, which is what was asked for.
    if (outcome.state === "failed" && outcome.problem.code !== "unknown_cue") {
      return setFailure(sentence(outcome.problem));
    }
    onSaved(null);
  };

  const press = (event: KeyboardEvent<HTMLFormElement>) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      onClose();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.currentTarget.requestSubmit();
    }
  };

  return (
    <form className={styles.editor} aria-label="Correct the cue" onSubmit={save} onKeyDown={press}>
      <textarea
        aria-label="Text"
        dir="auto"
        rows={2}
        // biome-ignore lint/a11y/noAutofocus: the person has just asked to write here
        autoFocus
        required
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <div className={styles.times}>
        <label htmlFor={`${id}-start`}>From</label>
        <input
          id={`${id}-start`}
          inputMode="decimal"
          value={start}
          onChange={(event) => setStart(event.target.value)}
        />
        <label htmlFor={`${id}-end`}>to</label>
        <input
          id={`${id}-end`}
          inputMode="decimal"
          value={end}
          onChange={(event) => setEnd(event.target.value)}
        />
      </div>
      <ErrorText text={failure} />
      <div className={styles.editorActions}>
        <button type="submit" className="button small" disabled={busy}>
          Save
        </button>
        <button type="button" className="button quiet small" onClick={onClose}>
          Cancel
        </button>
        <button
          type="button"
          className={`button quiet small ${styles.remove}`}
          disabled={busy}
          onClick={remove}
        >
          Delete
        </button>
      </div>
    </form>
  );
}
