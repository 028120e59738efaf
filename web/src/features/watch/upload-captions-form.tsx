// The form of a caption file's upload, with its language and, if wanted, a name.

import { type FormEvent, useState } from "react";
import { addCaptions } from "../../api/captions.ts";
import { sentence } from "../../api/request.ts";
import styles from "./captions-dialog.module.css";

interface UploadCaptionsFormProps {
  video: string;
  onClose: () => void;
  onAdded: () => void;
}

export function UploadCaptionsForm({ video, onClose, onAdded }: UploadCaptionsFormProps) {
  const [file, setFile] = useState<File | null>(null);
  const [language, setLanguage] = useState(navigator.language.split("-")[0] ?? "");
  const [label, setLabel] = useState("");
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState("");

  const add = async (event: FormEvent) => {
    event.preventDefault();
    if (file === null) return;
    setBusy(true);
    const outcome = await addCaptions(video, { language: language.trim(), label }, file);
    setBusy(false);
    if (outcome.state === "failed") setTrouble(sentence(outcome.problem));
    else onAdded();
  };

  return (
    <form className={styles.panel} aria-label="Add a file" onSubmit={add}>
      <label className="field">
        WebVTT or SubRip
        <input
          type="file"
          required
          accept=".vtt,.srt,text/vtt,application/x-subrip"
          onChange={(event) => {
            setFile(event.target.files?.[0] ?? null);
            setTrouble("");
          }}
        />
      </label>
      <div className={styles.pair}>
        <label className="field">
          Language
          <input
            required
            placeholder="de, pt-BR …"
            value={language}
            onChange={(event) => setLanguage(event.target.value)}
          />
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
        <button type="submit" className="button small" disabled={busy}>
          Add
        </button>
      </div>
    </form>
  );
}
