// The browser's own modal dialog: it traps the focus, closes on Escape and gives
// the focus back. Rendered only while it is open.

import { type MouseEvent, type ReactNode, useId, useLayoutEffect, useRef } from "react";
import styles from "./dialog.module.css";
import { Icon } from "./icons.tsx";

interface DialogProps {
  title: ReactNode;
  onClose: () => void;
  children: ReactNode;
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();

  // A layout effect, because only a dialog that is closed while it is still in the page gives the
  // focus back to where it was.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => element?.close();
  }, []);

  const pressBackdrop = (event: MouseEvent) => {
    // The content fills the dialog, so a press on the element itself is one on the backdrop.
    if (event.target === dialog.current) onClose();
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it by keyboard
    <dialog
      ref={dialog}
      className={styles.dialog}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={pressBackdrop}
    >
      <div className={styles.content}>
        <h2 id={heading}>{title}</h2>
        {children}
        {/* Last, because the dialog focuses what comes first: a field, or the harmless answer. */}
        <div className={styles.close}>
          <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </div>
      </div>
    </dialog>
  );
}
