// The form of a caption track's language and name.

import { type FormEvent, useState } from "react";
import type { Captions } from "../../api/caption-document.ts";
import { renameCaptions } from "../../api/captions.ts";
import { sentence } from "../../api/request.ts";
import styles from "./captions-dialog.module.css";

interface RenameCaptionsFormProps {
  video: string;
  track: Captions;
  onClose: () => void;
  onRenamed: () => void;
}

export function RenameCaptionsForm({ video, track, onClose, onRenamed }: RenameCaptionsFormProps) {
  const [language, setLanguage] = useState(track.language ?? "");
  const [label, setLabel] = useState(track.label ?? "");
  const [trouble, setTrouble] = useState("");

  const save = async (event: FormEvent) => {
    event.preventDefault();
    const outcome = await renameCaptions(video, track.id, { language: language.trim(), label });
    if (outcome.state === "failed") setTrouble(sentence(outcome.problem));
    else onRenamed();
  };

  return (
    <form className={styles.panel} aria-label="Rename" onSubmit={save}>
      <div className={styles.pair}>
        <label className="field">
          Language
          <input required value={language} onChange={(event) => setLanguage(event.target.value)} />
        </label>
        <label className="field">
          Name
          <input
            placeholder="The language's own"
            value={label}
            onChange={(event) => setLabel(event.target.value)}
          />
        </label>
      </div>
      {trouble !== "" && (
        <p className="error-text" role="alert">
          {trouble}
        </p>
      )}
      <div className="actions">
        <button type="button" className="button quiet small" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="button small">
          Save
        </button>
      </div>
    </form>
  );
}
