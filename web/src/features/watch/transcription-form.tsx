// The form of a transcription: a first one, or another with other options.

import { type FormEvent, useState } from "react";
import type { Captions } from "../../api/caption-document.ts";
import { requestTranscription } from "../../api/captions.ts";
import { sentence } from "../../api/request.ts";
import styles from "./captions-dialog.module.css";

interface TranscriptionFormProps {
  video: string;
  /** The track to transcribe again; null requests a new one. */
  track: Captions | null;
  onClose: () => void;
  onRequested: () => void;
}

export function TranscriptionForm({ video, track, onClose, onRequested }: TranscriptionFormProps) {
  const [language, setLanguage] = useState(track?.asked.language ?? "");
  const [model, setModel] = useState(track?.asked.model ?? "");
  const [prompt, setPrompt] = useState(track?.asked.prompt ?? "");
  const [translate, setTranslate] = useState(track?.asked.translate ?? false);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState("");

  const ask = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const options = { language: language.trim(), model: model.trim(), prompt, translate };
    const outcome = await requestTranscription(video, track?.id ?? null, options);
    setBusy(false);
    if (outcome.state === "failed") setTrouble(sentence(outcome.problem));
    else onRequested();
  };

  return (
    <form className={styles.panel} aria-label="Have captions written" onSubmit={ask}>
      {track !== null && <p>What these captions say now is replaced, corrections too.</p>}
      <div className={styles.pair}>
        <label className="field">
          Spoken language
          <input
            placeholder="Found by listening"
            value={language}
            onChange={(event) => setLanguage(event.target.value)}
          />
        </label>
        <label className="field">
          Model
          <input
            placeholder="The server's choice"
            value={model}
            onChange={(event) => setModel(event.target.value)}
          />
        </label>
      </div>
      <label className="field">
        Names and terms
        <input
          placeholder="Words that the machine should know"
          value={prompt}
          onChange={(event) => setPrompt(event.target.value)}
        />
      </label>
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={translate}
          onChange={(event) => setTranslate(event.target.checked)}
        />
        Translate into English
      </label>
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
          Write
        </button>
      </div>
    </form>
  );
}
