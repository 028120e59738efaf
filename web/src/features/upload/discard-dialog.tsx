// The question before an upload is given up, for what was sent of it is gone then.

import { Dialog } from "../../shared/dialog.tsx";
import { bytes } from "../../shared/format.ts";

interface DiscardDialogProps {
  name: string;
  bytesStored: number;
  onClose: () => void;
  onDiscard: () => void;
}

export function DiscardDialog({ name, bytesStored, onClose, onDiscard }: DiscardDialogProps) {
  return (
    <Dialog title="Discard this upload?" onClose={onClose}>
      <p>
        <strong dir="auto">{name}</strong>: {bytes(bytesStored)} were sent already. They would have
        to be sent again.
      </p>
      <div className="actions">
        <button type="button" className="button quiet" onClick={onClose}>
          Keep it
        </button>
        <button type="button" className="button" onClick={onDiscard}>
          Discard
        </button>
      </div>
    </Dialog>
  );
}
