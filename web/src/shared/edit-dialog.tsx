// The title and the description of a video, to be edited.

import { type FormEvent, useState } from "react";
import type { Video } from "../api/document.ts";
import { type Problem, sentence } from "../api/request.ts";
import { editVideo } from "../api/videos.ts";
import { Dialog } from "./dialog.tsx";
import { ErrorText } from "./error-text.tsx";

interface EditDialogProps {
  video: Video;
  onClose: () => void;
  onSaved: (video: Video) => void;
}

export function EditDialog({ video, onClose, onSaved }: EditDialogProps) {
  const [title, setTitle] = useState(video.title);
  const [description, setDescription] = useState(video.description);
  const [saving, setSaving] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  const save = async (event: FormEvent) => {
    event.preventDefault();
    setSaving(true);
    const outcome = await editVideo(video.id, { title: title.trim(), description });
    setSaving(false);
    if (outcome.state === "failed") {
      setProblem(outcome.problem);
      return;
    }
    onSaved(outcome.value);
    onClose();
  };

  return (
    <Dialog title="Edit video" onClose={onClose}>
      <form onSubmit={save}>
        <label className="field">
          Title
          <input
            required
            dir="auto"
            value={title}
            onChange={(event) => setTitle(event.target.value)}
          />
        </label>
        <label className="field">
          Description
          <textarea
            dir="auto"
            rows={5}
            value={description}
            onChange={(event) => setDescription(event.target.value)}
          />
        </label>
        <ErrorText text={problem === null ? "" : sentence(problem)} />
        <div className="actions">
          <button type="button" className="button quiet" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button" disabled={saving}>
            Save
          </button>
        </div>
      </form>
    </Dialog>
  );
}
