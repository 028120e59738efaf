// The form of an account's page: it sends once, and shows a refusal at the field that it concerns, which then has the
// focus; or below all fields.

import {
  type ComponentProps,
  createContext,
  type FormEvent,
  type ReactNode,
  useContext,
  useEffect,
  useId,
  useRef,
  useState,
} from "react";
import { type Outcome, type Problem, sentence } from "../api/request.ts";
import { ErrorText } from "./error-text.tsx";
import styles from "./form.module.css";
import { Message } from "./message.tsx";

interface FormProps<T> {
  /** Its name for screen readers. */
  name: string;
  /** The words on the button that sends it. */
  action: string;
  send: () => Promise<Outcome<T>>;
  onDone: (value: T) => void;
  onCancel?: () => void;
  /** Its fields; none where the button says it all. */
  children?: ReactNode;
}

interface Failure {
  text: string;
  /** The field's name; null below all fields. */
  field: string | null;
}

const NONE: Failure = { text: "", field: null };

const FailureContext = createContext<Failure>(NONE);

export function Form<T>({ name, action, send, onDone, onCancel, children }: FormProps<T>) {
  const form = useRef<HTMLFormElement>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState(NONE);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    // A second Return while the first is on its way.
    if (busy) return;
    setBusy(true);
    const outcome = await send();
    setBusy(false);
    setFailure(outcome.state === "failed" ? failureOf(outcome.problem, form.current) : NONE);
    if (outcome.state === "ready") onDone(outcome.value);
  };

  useEffect(() => {
    if (failure.field !== null) fieldNamed(form.current, failure.field)?.focus();
  }, [failure]);

  return (
    // A failure is about what was sent: it goes as soon as that changes.
    <form ref={form} aria-label={name} onSubmit={submit} onChange={() => setFailure(NONE)}>
      <FailureContext value={failure}>{children}</FailureContext>
      {failure.field === null && <ErrorText text={failure.text} />}
      <div className="actions">
        {onCancel !== undefined && (
          <button type="button" className="button quiet" onClick={onCancel}>
            Cancel
          </button>
        )}
        <button type="submit" className="button" aria-disabled={busy}>
          {action}
        </button>
      </div>
    </form>
  );
}

interface FieldProps extends Omit<ComponentProps<"input">, "onChange"> {
  label: string;
  name: string;
  hint?: string;
  /** The person begins here: it takes the focus when it is shown. */
  begins?: boolean;
  value: string;
  onChange: (value: string) => void;
}

export function Field({ label, hint, begins = false, onChange, ...input }: FieldProps) {
  const field = useRef<HTMLInputElement>(null);
  const failure = useContext(FailureContext);
  const [shown, setShown] = useState(false);
  const id = useId();
  // After a dialog around it has opened and has given the focus to its first field.
  useEffect(() => {
    if (begins) field.current?.focus({ preventScroll: true });
  }, [begins]);
  const wrong = failure.field === input.name && failure.text !== "";
  const secret = input.type === "password";
  const described = [hint !== undefined && `${id}-hint`, wrong && `${id}-error`].filter(Boolean);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className={styles.input} data-secret={secret}>
        <input
          dir="auto"
          {...input}
          ref={field}
          id={id}
          type={shown ? "text" : (input.type ?? "text")}
          // Of a password that is shown, so that no keyboard corrects or keeps it.
          {...(secret && { autoCapitalize: "none", spellCheck: false })}
          aria-invalid={wrong}
          {...(described.length > 0 && { "aria-describedby": described.join(" ") })}
          onChange={(event) => onChange(event.target.value)}
        />
        {secret && (
          <button
            type="button"
            className="button quiet small"
            aria-pressed={shown}
            aria-label={`Show ${label.toLowerCase()}`}
            onClick={() => setShown(!shown)}
          >
            {shown ? "Hide" : "Show"}
          </button>
        )}
      </div>
      {hint !== undefined && (
        <p id={`${id}-hint`} className={styles.hint}>
          {hint}
        </p>
      )}
      {wrong && (
        <p id={`${id}-error`} className={`error-text ${styles.wrong}`} role="alert" dir="auto">
          <Message text={failure.text} />
        </p>
      )}
    </div>
  );
}

const FIELDS: Record<string, readonly string[]> = {
  invalid_name: ["name"],
  invalid_email: ["email", "person"],
  unknown_user: ["person"],
  unknown_heir: ["heir"],
  password_too_short: ["new_password", "password"],
  password_too_long: ["new_password", "password"],
  password_too_common: ["new_password", "password"],
  wrong_password: ["current_password"],
  wrong_credentials: ["password"],
  wrong_code: ["code"],
  no_scope: ["scope"],
  invalid_url: ["url"],
};

/** Returns the names that the field of a refusal may have; none where it concerns no field. */
export function fieldsOf({ code }: Problem): readonly string[] {
  return FIELDS[code] ?? [];
}

function failureOf(problem: Problem, form: HTMLFormElement | null): Failure {
  const field = fieldsOf(problem).find((it) => fieldNamed(form, it) !== null) ?? null;
  return { text: sentence(problem), field };
}

function fieldNamed(form: HTMLFormElement | null, name: string): HTMLElement | null {
  const found = form?.elements.namedItem(name);
  return found instanceof HTMLElement ? found : null;
}
