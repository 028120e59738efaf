// The question before a video is deleted, for nothing brings it back.

import { useState } from "react";
import type { Video } from "../api/document.ts";
import { type Problem, sentence } from "../api/request.ts";
import { deleteVideo } from "../api/videos.ts";
import { Dialog } from "./dialog.tsx";
import { ErrorText } from "./error-text.tsx";

interface DeleteDialogProps {
  video: Video;
  onClose: () => void;
  onDeleted: (id: string) => void;
}

export function DeleteDialog({ video, onClose, onDeleted }: DeleteDialogProps) {
  const [deleting, setDeleting] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  const confirm = async () => {
    setDeleting(true);
    const outcome = await deleteVideo(video.id);
    setDeleting(false);
    // Somebody else was quicker: it is gone, which is what was asked for.
    if (outcome.state === "failed" && outcome.problem.status !== 404) {
      setProblem(outcome.problem);
      return;
    }
    onDeleted(video.id);
    onClose();
  };

  return (
    <Dialog title="Delete this video?" onClose={onClose}>
      <p>
        <strong dir="auto">{video.title}</strong> and everything made from it will be deleted. This
        cannot be undone.
      </p>
      <ErrorText text={problem === null ? "" : sentence(problem)} />
      <div className="actions">
        <button type="button" className="button quiet" onClick={onClose}>
          Keep it
        </button>
        <button type="button" className="button" disabled={deleting} onClick={confirm}>
          Delete
        </button>
      </div>
    </Dialog>
  );
}
