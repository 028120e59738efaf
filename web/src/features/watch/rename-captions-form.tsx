// The form of a caption track's language and name.

import { useState } from "react";
import type { Captions } from "../../api/caption-document.ts";
import { renameCaptions } from "../../api/captions.ts";
import { CaptionForm, NamingFields } from "./caption-form.tsx";

interface RenameCaptionsFormProps {
  video: string;
  track: Captions;
  onClose: () => void;
  onRenamed: () => void;
}

export function RenameCaptionsForm({ video, track, onClose, onRenamed }: RenameCaptionsFormProps) {
  const [language, setLanguage] = useState(track.language ?? "");
  const [label, setLabel] = useState(track.label ?? "");
  return (
    <CaptionForm
      name="Rename"
      action="Save"
      send={() => renameCaptions(video, track.id, { language: language.trim(), label })}
      onClose={onClose}
      onDone={onRenamed}
    >
      <NamingFields language={language} label={label} onLanguage={setLanguage} onLabel={setLabel} />
    </CaptionForm>
  );
}
