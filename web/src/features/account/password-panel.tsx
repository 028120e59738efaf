// A new password. It ends every session but this one, which is what a person wants who fears for the old one.

import { useState } from "react";
import { changePassword } from "../../api/account.ts";
import { Field, Form } from "../../shared/form.tsx";
import { Panel } from "../../shared/panel.tsx";
import { Saved } from "./saved.tsx";
import { Username } from "./username.tsx";

export function PasswordPanel({ email }: { email: string }) {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [saved, setSaved] = useState("");
  return (
    <Panel title="Password">
      <Form
        name="Password"
        action="Change password"
        send={() => changePassword(current, next)}
        onDone={() => {
          setCurrent("");
          setNext("");
          setSaved("Your password is changed, and all other sessions are ended.");
        }}
      >
        <Username email={email} />
        <Field
          label="Current password"
          name="current_password"
          type="password"
          autoComplete="current-password"
          required
          value={current}
          onChange={(value) => {
            setSaved("");
            setCurrent(value);
          }}
        />
        <Field
          label="New password"
          name="new_password"
          type="password"
          autoComplete="new-password"
          hint="8 to 128 characters of any kind. All your other sessions end."
          required
          value={next}
          onChange={setNext}
        />
      </Form>
      <Saved text={saved} />
    </Panel>
  );
}
