// The question for the current password, before something that a session alone must not do.

import { type ReactNode, useState } from "react";
import type { Outcome } from "../../api/request.ts";
import { Dialog } from "../../shared/dialog.tsx";
import { Field, Form } from "../../shared/form.tsx";
import { Username } from "./username.tsx";

interface PasswordDialogProps<T> {
  title: string;
  /** The words on the button. */
  action: string;
  email: string;
  send: (password: string) => Promise<Outcome<T>>;
  onClose: () => void;
  onDone: (value: T) => void;
  children?: ReactNode;
  /** What is asked for besides the password. */
  fields?: ReactNode;
}

export function PasswordDialog<T>(props: PasswordDialogProps<T>) {
  const { title, action, email, send, onClose, onDone, children, fields } = props;
  const [password, setPassword] = useState("");
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <Form
        name={title}
        action={action}
        send={() => send(password)}
        onDone={onDone}
        onCancel={onClose}
      >
        {fields}
        <Username email={email} />
        <Field
          label="Current password"
          name="current_password"
          type="password"
          autoComplete="current-password"
          required
          begins
          value={password}
          onChange={setPassword}
        />
      </Form>
    </Dialog>
  );
}
