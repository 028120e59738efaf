// A panel of what a person makes and gives to a program: a list, a form for a new one, its secret shown once, its deletion confirmed.

import { type ReactNode, useRef, useState } from "react";
import { flushSync } from "react-dom";
import type { Outcome } from "../../api/request.ts";
import { ConfirmDialog } from "../../shared/confirm-dialog.tsx";
import { CopyField } from "../../shared/copy-field.tsx";
import { Panel, Rows } from "../../shared/panel.tsx";
import { Trouble } from "../../shared/trouble.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";
import styles from "./account.module.css";

/** The changes that a row may make: of the list, and of its own entry. */
export interface RowActions<T> {
  change: (edit: (all: T[]) => T[]) => void;
  askToDelete: () => void;
}

interface Props<T extends { id: string }, New extends T & { secret: string }> {
  title: string;
  intro: ReactNode;
  load: () => Promise<Outcome<T[]>>;
  row: (entry: T, actions: RowActions<T>) => ReactNode;
  /** The button that opens the form. */
  make: string;
  form: (close: () => void, onMade: (made: New) => void) => ReactNode;
  /** The name of the secret, and the request to copy it now. */
  secret: { name: string; copy: (made: New) => ReactNode };
  deletion: {
    title: string;
    send: (id: string) => Promise<Outcome<true>>;
    text: (entry: T) => ReactNode;
  };
  /** Below the list. */
  children?: ReactNode;
}

export function SecretsPanel<T extends { id: string }, New extends T & { secret: string }>({
  title,
  intro,
  load,
  row,
  make,
  form,
  secret,
  deletion,
  children,
}: Props<T, New>) {
  const { value: entries, reload, change } = useLoaded(load, title);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<New | null>(null);
  const [deleting, setDeleting] = useState<T | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  // Where the focus was is gone.
  const focus = () => heading.current?.focus();

  return (
    <Panel title={title} heading={heading}>
      <p>{intro}</p>
      {made !== null && (
        <div className={styles.once}>
          <p role="status">{secret.copy(made)}</p>
          <CopyField name={secret.name} text={made.secret} />
          <div className="actions">
            <button
              type="button"
              className="button quiet small"
              onClick={() => {
                setMade(null);
                focus();
              }}
            >
              I have copied it
            </button>
          </div>
        </div>
      )}
      {entries.state === "failed" && <Trouble problem={entries.problem} onRetry={reload} />}
      {entries.state === "ready" && entries.value.length > 0 && (
        <Rows name={title}>
          {entries.value.map((it) => row(it, { change, askToDelete: () => setDeleting(it) }))}
        </Rows>
      )}
      {children}
      {making ? (
        <div className={styles.part}>
          {form(
            () => {
              setMaking(false);
              focus();
            },
            (entry) => {
              setMaking(false);
              setMade(entry);
              change((all) => [entry, ...all]);
            },
          )}
        </div>
      ) : (
        <button type="button" className="button small" onClick={() => setMaking(true)}>
          {make}
        </button>
      )}
      {deleting !== null && (
        <ConfirmDialog
          title={deletion.title}
          action="Delete"
          keep="Keep it"
          send={() => deletion.send(deleting.id)}
          onClose={() => setDeleting(null)}
          onDone={() => {
            // At once: a dialog that closes gives the focus back to where it was, and must not do so later.
            flushSync(() => {
              change((all) => all.filter((it) => it.id !== deleting.id));
              if (made?.id === deleting.id) setMade(null);
              setDeleting(null);
            });
            focus();
          }}
        >
          <p>{deletion.text(deleting)}</p>
        </ConfirmDialog>
      )}
    </Panel>
  );
}
