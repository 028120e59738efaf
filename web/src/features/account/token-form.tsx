// The form of a new token: its name, what it may do, and when it ends.

import { useId, useState } from "react";
import { makeToken, type NewToken, type Scope } from "../../api/account.ts";
import { Field, Form } from "../../shared/form.tsx";
import { daysFrom } from "../../shared/format.ts";
import styles from "./account.module.css";

const SCOPES: readonly { scope: Scope; name: string; meaning: string }[] = [
  { scope: "read", name: "Read", meaning: "See the videos that you see." },
  { scope: "upload", name: "Upload", meaning: "Add videos." },
  { scope: "manage", name: "Manage", meaning: "Change and delete the videos that you may change." },
];

const DAYS = ["30", "90", "365", ""] as const;

interface TokenFormProps {
  onClose: () => void;
  onMade: (token: NewToken) => void;
}

export function TokenForm({ onClose, onMade }: TokenFormProps) {
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<Scope[]>(["upload"]);
  const [days, setDays] = useState<string>("90");
  const end = useId();
  const send = () => {
    const expires = days === "" ? null : daysFrom(Date.now(), Number(days));
    return makeToken({ name, scopes, expires });
  };
  const toggle = (scope: Scope, on: boolean) =>
    setScopes(on ? [...scopes, scope] : scopes.filter((it) => it !== scope));
  return (
    <Form name="New token" action="Make token" send={send} onDone={onMade} onCancel={onClose}>
      <Field
        label="Token name"
        name="name"
        autoComplete="off"
        hint="What uses it, such as “backup script”."
        required
        begins
        value={name}
        onChange={setName}
      />
      <fieldset className={styles.scopes}>
        <legend>It may</legend>
        {SCOPES.map(({ scope, name: label, meaning }) => (
          <label key={scope}>
            <input
              type="checkbox"
              checked={scopes.includes(scope)}
              onChange={(event) => toggle(scope, event.target.checked)}
            />
            {label}
            <span>{meaning}</span>
          </label>
        ))}
      </fieldset>
      <div className="field">
        <label htmlFor={end}>It ends</label>
        <select id={end} value={days} onChange={(event) => setDays(event.target.value)}>
          {DAYS.map((it) => (
            <option key={it} value={it}>
              {it === "" ? "Never" : `In ${it} days`}
            </option>
          ))}
        </select>
      </div>
    </Form>
  );
}
