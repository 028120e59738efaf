// The frame of every form for captions: it sends once, shows why that failed, and closes when it is done.

import { type FormEvent, type ReactNode, useState } from "react";
import { type Outcome, sentence } from "../../api/request.ts";
import { ErrorText } from "../../shared/error-text.tsx";
import styles from "./captions-dialog.module.css";

interface CaptionFormProps {
  name: string;
  /** The words on the button that sends it. */
  action: string;
  send: () => Promise<Outcome<unknown>>;
  onClose: () => void;
  onDone: () => void;
  children: ReactNode;
}

export function CaptionForm({ name, action, send, onClose, onDone, children }: CaptionFormProps) {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState("");

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    const outcome = await send();
    setBusy(false);
    if (outcome.state === "failed") setFailure(sentence(outcome.problem));
    else onDone();
  };

  return (
    // A failure is about what was sent: it goes as soon as that changes.
    <form
      className={styles.panel}
      aria-label={name}
      onSubmit={submit}
      onChange={() => setFailure("")}
    >
      {children}
      <ErrorText text={failure} />
      <div className="actions">
        <button type="button" className="button quiet small" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="button small" disabled={busy}>
          {action}
        </button>
      </div>
    </form>
  );
}

interface TextFieldProps {
  label: string;
  value: string;
  placeholder?: string;
  required?: boolean;
  onChange: (value: string) => void;
}

export function TextField({ label, onChange, ...input }: TextFieldProps) {
  return (
    <label className="field">
      {label}
      <input dir="auto" {...input} onChange={(event) => onChange(event.target.value)} />
    </label>
  );
}

interface NamingFieldsProps {
  language: string;
  label: string;
  onLanguage: (language: string) => void;
  onLabel: (label: string) => void;
}

/** The language of a track, and its name where the language's own does not do. */
export function NamingFields({ language, label, onLanguage, onLabel }: NamingFieldsProps) {
  return (
    <div className={styles.pair}>
      <TextField
        label="Language"
        required
        placeholder="de, pt-BR …"
        value={language}
        onChange={onLanguage}
      />
      <TextField label="Name" placeholder="The language's own" value={label} onChange={onLabel} />
    </div>
  );
}
