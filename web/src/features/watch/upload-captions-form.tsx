// The form of a caption file's upload, with its language and, if wanted, a name.

import { useState } from "react";
import { addCaptions } from "../../api/captions.ts";
import { CaptionForm, NamingFields } from "./caption-form.tsx";

interface UploadCaptionsFormProps {
  video: string;
  onClose: () => void;
  onAdded: () => void;
}

export function UploadCaptionsForm({ video, onClose, onAdded }: UploadCaptionsFormProps) {
  // The input is required, so that a form without a file is not sent.
  const [file, setFile] = useState<Blob>(new Blob());
  const [language, setLanguage] = useState(navigator.language.split("-")[0] ?? "");
  const [label, setLabel] = useState("");
  return (
    <CaptionForm
      name="Add a file"
      action="Add"
      send={() => addCaptions(video, { language: language.trim(), label }, file)}
      onClose={onClose}
      onDone={onAdded}
    >
      <label className="field">
        WebVTT or SubRip
        <input
          type="file"
          required
          accept=".vtt,.srt,text/vtt,application/x-subrip"
          onChange={(event) => setFile(event.target.files?.[0] ?? new Blob())}
        />
      </label>
      <NamingFields language={language} label={label} onLanguage={setLanguage} onLabel={setLabel} />
    </CaptionForm>
  );
}
