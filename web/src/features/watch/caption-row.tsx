// One caption track in the dialog: its name and state, its files and its actions.

import { type ChangeEvent, useRef, useState } from "react";
import type { Captions } from "../../api/caption-document.ts";
import { deleteCaptions, replaceCaptions } from "../../api/captions.ts";
import { type Outcome, sentence } from "../../api/request.ts";
import { ErrorText } from "../../shared/error-text.tsx";
import { Message } from "../../shared/message.tsx";
import { ProgressBar } from "../../shared/progress-bar.tsx";
import { captionLabel, captionSource, captionState, fractionDone } from "./caption-words.ts";
import styles from "./captions-dialog.module.css";
import { RenameCaptionsForm } from "./rename-captions-form.tsx";
import { TranscriptionForm } from "./transcription-form.tsx";

interface CaptionRowProps {
  video: string;
  track: Captions;
  durationSeconds: number | null;
  onChanged: () => void;
}

type Panel = "rename" | "again" | "delete" | null;

export function CaptionRow({ video, track, durationSeconds, onChanged }: CaptionRowProps) {
  const [panel, setPanel] = useState<Panel>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");
  const file = useRef<HTMLInputElement>(null);
  const label = captionLabel(track);

  const run = async (work: Promise<Outcome<unknown>>) => {
    setBusy(true);
    const outcome = await work;
    setBusy(false);
    setFailure(outcome.state === "failed" ? sentence(outcome.problem) : "");
    if (outcome.state === "ready") done();
  };
  const done = () => {
    setPanel(null);
    onChanged();
  };
  const replace = (event: ChangeEvent<HTMLInputElement>) => {
    const [given] = event.target.files ?? [];
    // So that the same file may be chosen again once it is mended.
    event.target.value = "";
    if (given !== undefined) void run(replaceCaptions(video, track.id, given));
  };

  return (
    <li className={styles.track} aria-label={label}>
      <p className={styles.name} dir="auto">
        {label}
      </p>
      <p className={styles.facts} role="status">
        <Message text={captionState(track, durationSeconds)} />
      </p>
      {track.state === "running" && (
        <ProgressBar label={label} fraction={fractionDone(track, durationSeconds)} />
      )}
      <p className={styles.facts}>{captionSource(track)}</p>
      {track.files !== null && (
        <p className={styles.files}>
          Download
          {Object.entries(track.files).map(([format, url]) => (
            <a key={format} href={url} download={`captions.${track.name}.${format}`}>
              {format}
            </a>
          ))}
        </p>
      )}
      <div className={styles.ways}>
        <button
          type="button"
          className="button quiet small"
          disabled={busy}
          onClick={() => setPanel("rename")}
        >
          Rename
        </button>
        <button
          type="button"
          className="button quiet small"
          disabled={busy || track.name === null}
          onClick={() => file.current?.click()}
        >
          Replace
        </button>
        <input
          ref={file}
          type="file"
          hidden
          accept=".vtt,.srt,text/vtt,application/x-subrip"
          aria-label={`Replace ${label}`}
          onChange={replace}
        />
        {track.origin === "machine" && (
          <button
            type="button"
            className="button quiet small"
            disabled={busy}
            onClick={() => setPanel("again")}
          >
            Write again
          </button>
        )}
        <button
          type="button"
          className="button quiet small"
          disabled={busy}
          onClick={() => setPanel("delete")}
        >
          Delete
        </button>
      </div>
      {panel === "rename" && (
        <RenameCaptionsForm
          video={video}
          track={track}
          onClose={() => setPanel(null)}
          onRenamed={done}
        />
      )}
      {panel === "again" && (
        <TranscriptionForm
          video={video}
          track={track}
          onClose={() => setPanel(null)}
          onRequested={done}
        />
      )}
      {panel === "delete" && (
        <div className={styles.panel} role="alert">
          <p>Delete these captions? This cannot be undone.</p>
          <div className={styles.ways}>
            <button
              type="button"
              className="button small"
              disabled={busy}
              onClick={() => run(deleteCaptions(video, track.id))}
            >
              Delete
            </button>
            <button type="button" className="button quiet small" onClick={() => setPanel(null)}>
              Keep them
            </button>
          </div>
        </div>
      )}
      <ErrorText text={failure} />
    </li>
  );
}
