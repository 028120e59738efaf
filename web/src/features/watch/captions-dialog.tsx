// The dialog of a video's caption tracks: their states and the actions on them.

import { useState } from "react";
import type { Captions } from "../../api/caption-document.ts";
import { Dialog } from "../../shared/dialog.tsx";
import { Icon } from "../../shared/icons.tsx";
import { CaptionRow } from "./caption-row.tsx";
import styles from "./captions-dialog.module.css";
import { TranscriptionForm } from "./transcription-form.tsx";
import { UploadCaptionsForm } from "./upload-captions-form.tsx";

interface CaptionsDialogProps {
  video: string;
  tracks: Captions[];
  durationSeconds: number | null;
  onClose: () => void;
  /** Something has changed on the server. */
  onChanged: () => void;
}

type Panel = "add" | "machine" | null;

export function CaptionsDialog(props: CaptionsDialogProps) {
  const { video, tracks, durationSeconds, onClose, onChanged } = props;
  const [panel, setPanel] = useState<Panel>(null);
  const done = () => {
    setPanel(null);
    onChanged();
  };
  return (
    <Dialog title="Captions" onClose={onClose}>
      {tracks.length === 0 && <p>This video has no captions yet.</p>}
      <ul className={styles.tracks}>
        {tracks.map((track) => (
          <CaptionRow
            key={track.id}
            video={video}
            track={track}
            durationSeconds={durationSeconds}
            onChanged={onChanged}
          />
        ))}
      </ul>
      {panel === null && (
        <div className={styles.ways}>
          <button type="button" className="button small" onClick={() => setPanel("add")}>
            <Icon name="upload" size={18} /> Add a file
          </button>
          <button type="button" className="button quiet small" onClick={() => setPanel("machine")}>
            <Icon name="audio" size={18} /> Have them written
          </button>
        </div>
      )}
      {panel === "add" && (
        <UploadCaptionsForm video={video} onClose={() => setPanel(null)} onAdded={done} />
      )}
      {panel === "machine" && (
        <TranscriptionForm
          video={video}
          track={null}
          onClose={() => setPanel(null)}
          onRequested={done}
        />
      )}
    </Dialog>
  );
}
