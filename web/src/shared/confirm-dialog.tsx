// The question before something that nothing brings back.

import { type ReactNode, useState } from "react";
import { type Outcome, type Problem, sentence } from "../api/request.ts";
import { Dialog } from "./dialog.tsx";
import { ErrorText } from "./error-text.tsx";

interface ConfirmDialogProps {
  title: string;
  /** The words on the button that does it. */
  action: string;
  /** The words on the harmless one. */
  keep: string;
  send: () => Promise<Outcome<unknown>>;
  onClose: () => void;
  onDone: () => void;
  children: ReactNode;
}

export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, action, keep, send, onClose, onDone, children } = props;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const confirm = async () => {
    setBusy(true);
    const outcome = await send();
    setBusy(false);
    // Somebody else was quicker: it is gone, which is what was asked for.
    if (outcome.state === "failed" && outcome.problem.status !== 404) setProblem(outcome.problem);
    else onDone();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <ErrorText text={problem === null ? "" : sentence(problem)} />
      <div className="actions">
        <button type="button" className="button quiet" onClick={onClose}>
          {keep}
        </button>
        <button type="button" className="button" disabled={busy} onClick={confirm}>
          {action}
        </button>
      </div>
    </Dialog>
  );
}
