// The page of a forgotten password: it asks for a link by mail, and by that link for a new password.

import { useState } from "react";
import { askForReset, resetPassword } from "../../api/password-reset.ts";
import { Field, Form } from "../../shared/form.tsx";
import { useSession } from "../../shared/session.ts";
import { AccountPage, LinkByMail } from "./account-page.tsx";

export function Forgotten({ linkKey }: { linkKey: string | null }) {
  const session = useSession();
  if (linkKey !== null) return <NewPassword linkKey={linkKey} />;
  if (session.state === "on" && !session.mail) return <WithoutMail />;
  return <AskForLink />;
}

function AskForLink() {
  return (
    <LinkByMail
      title="Forgotten password"
      hint="You get a link by mail that sets a new one."
      send={askForReset}
      sent={(email) => (
        <>
          If {email} has an account here, a link to set a new password is on its way. It holds for
          an hour.
        </>
      )}
    />
  );
}

function NewPassword({ linkKey }: { linkKey: string }) {
  const [password, setPassword] = useState("");
  const [done, setDone] = useState(false);
  if (done) {
    return (
      <AccountPage title="Your password is changed">
        <p role="status">All your sessions are ended. Sign in with the new password.</p>
      </AccountPage>
    );
  }
  return (
    <AccountPage title="New password">
      <Form
        name="New password"
        action="Set password"
        send={() => resetPassword(linkKey, password)}
        onDone={() => setDone(true)}
      >
        <Field
          label="New password"
          name="new_password"
          type="password"
          autoComplete="new-password"
          hint="8 to 128 characters of any kind. All your sessions end."
          required
          begins
          value={password}
          onChange={setPassword}
        />
      </Form>
    </AccountPage>
  );
}

function WithoutMail() {
  return (
    <AccountPage title="Forgotten password">
      <p>This site sends no mail. Ask its administrator for a new password.</p>
    </AccountPage>
  );
}
