// What the machine is to write: for the first time, or again with other words to go by.

import { type FormEvent, useState } from "react";
import type { Captions } from "../../api/caption-document.ts";
import { askMachine } from "../../api/captions.ts";
import { sentence } from "../../api/request.ts";
import styles from "./captions-dialog.module.css";

interface AskMachineProps {
  video: string;
  /** The track to write again; null asks for one more. */
  track: Captions | null;
  onClose: () => void;
  onAsked: () => void;
}

export function AskMachine({ video, track, onClose, onAsked }: AskMachineProps) {
  const [language, setLanguage] = useState(track?.asked.language ?? "");
  const [model, setModel] = useState(track?.asked.model ?? "");
  const [prompt, setPrompt] = useState(track?.asked.prompt ?? "");
  const [translate, setTranslate] = useState(track?.asked.translate ?? false);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState("");

  const ask = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const wish = { language: language.trim(), model: model.trim(), prompt, translate };
    const outcome = await askMachine(video, track?.id ?? null, wish);
    setBusy(false);
    if (outcome.state === "failed") setTrouble(sentence(outcome.problem));
    else onAsked();
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
