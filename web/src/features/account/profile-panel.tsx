// The name and the address of an account. The address opens it, so that it needs the current password.

import { useState } from "react";
import { changeEmail, rename } from "../../api/account.ts";
import type { User } from "../../api/session.ts";
import { CopyField } from "../../shared/copy-field.tsx";
import { Field, Form } from "../../shared/form.tsx";
import { Panel } from "../../shared/panel.tsx";
import { session } from "../../shared/session.ts";
import styles from "./account.module.css";
import { EmailField } from "./email-field.tsx";
import { Saved } from "./saved.tsx";

export function ProfilePanel({ user }: { user: User }) {
  return (
    <Panel title="Profile">
      <NameForm user={user} />
      <div className={styles.part}>
        <EmailForm user={user} />
      </div>
      <div className={styles.part}>
        <p>By your account id somebody can share a video with you, or hand theirs over to you.</p>
        <CopyField name="Account id" text={user.id} />
      </div>
    </Panel>
  );
}

function NameForm({ user }: { user: User }) {
  const [name, setName] = useState(user.name);
  const [saved, setSaved] = useState("");
  return (
    <>
      <Form
        name="Name"
        action="Save name"
        send={() => rename(name)}
        onDone={(changed) => {
          session.enter(changed);
          setName(changed.name);
          setSaved("Your name is saved.");
        }}
      >
        <Field
          label="Name"
          name="name"
          autoComplete="name"
          required
          value={name}
          onChange={(value) => {
            setSaved("");
            setName(value);
          }}
        />
      </Form>
      <Saved text={saved} />
    </>
  );
}

function EmailForm({ user }: { user: User }) {
  const [email, setEmail] = useState(user.email);
  const [password, setPassword] = useState("");
  const [saved, setSaved] = useState("");
  return (
    <>
      <Form
        name="E-mail"
        action="Save e-mail"
        send={() => changeEmail(email, password)}
        onDone={(changed) => {
          session.enter(changed);
          setPassword("");
          // The address that was there: the new one is to be proved first.
          const waits = changed.email === user.email && email.trim() !== user.email;
          setEmail(changed.email);
          setSaved(
            waits
              ? `A link is on its way to ${email.trim()}. Your e-mail changes once you have opened it.`
              : "Your e-mail is saved. Sign in with it from now on.",
          );
        }}
      >
        <EmailField
          value={email}
          onChange={(value) => {
            setSaved("");
            setEmail(value);
          }}
        />
        <Field
          label="Current password"
          name="current_password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={setPassword}
        />
      </Form>
      <Saved text={saved} />
    </>
  );
}
