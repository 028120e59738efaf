// The form of a transcription: a first one, or another with other options.

import { useState } from "react";
import type { Captions } from "../../api/caption-document.ts";
import { requestTranscription } from "../../api/captions.ts";
import { CaptionForm, TextField } from "./caption-form.tsx";
import styles from "./captions-dialog.module.css";

interface TranscriptionFormProps {
  video: string;
  /** The track to transcribe again; null requests a new one. */
  track: Captions | null;
  onClose: () => void;
  onRequested: () => void;
}

export function TranscriptionForm(props: TranscriptionFormProps) {
  const { video, track, onClose, onRequested } = props;
  const [language, setLanguage] = useState(track?.asked.language ?? "");
  const [model, setModel] = useState(track?.asked.model ?? "");
  const [prompt, setPrompt] = useState(track?.asked.prompt ?? "");
  const [translate, setTranslate] = useState(track?.asked.translate ?? false);
  const send = () => {
    const options = { language: language.trim(), model: model.trim(), prompt, translate };
    return requestTranscription(video, track?.id ?? null, options);
  };
  return (
    <CaptionForm
      name="Have captions written"
      action="Write"
      send={send}
      onClose={onClose}
      onDone={onRequested}
    >
      {track !== null && <p>The words of these captions are replaced, corrections too.</p>}
      <div className={styles.pair}>
        <TextField
          label="Spoken language"
          placeholder="Found by listening"
          value={language}
          onChange={setLanguage}
        />
        <TextField
          label="Model"
          placeholder="The server's choice"
          value={model}
          onChange={setModel}
        />
      </div>
      <TextField
        label="Names and terms"
        placeholder="Words that the machine should know"
        value={prompt}
        onChange={setPrompt}
      />
      <label className={styles.check}>
        <input
          type="checkbox"
          checked={translate}
          onChange={(event) => setTranslate(event.target.checked)}
        />
        Translate into English
      </label>
    </CaptionForm>
  );
}
