// The page of a forgotten password: it asks for a link by mail, and by that link for a new password.

import { type ReactNode, useState } from "react";
import { askForReset, resetPassword } from "../../api/password-reset.ts";
import { Field, Form } from "../../shared/form.tsx";
import { Heading } from "../../shared/heading.tsx";
import { Link } from "../../shared/navigation.tsx";
import { signInPath } from "../../shared/route.ts";
import { useSession } from "../../shared/session.ts";
import styles from "./account.module.css";

export function Forgotten({ linkKey }: { linkKey: string | null }) {
  const session = useSession();
  if (linkKey !== null) return <NewPassword linkKey={linkKey} />;
  if (session.state === "on" && !session.mail) return <WithoutMail />;
  return <AskForLink />;
}

function AskForLink() {
  const [email, setEmail] = useState("");
  const [sent, setSent] = useState(false);
  if (sent) {
    return (
      <Page title="Look into your mail">
        <p role="status">
          If <strong>{email}</strong> has an account here, a link to set a new password is on its
          way. It holds for an hour.
        </p>
      </Page>
    );
  }
  return (
    <Page title="Forgotten password">
      <p>You get a link by mail that sets a new one.</p>
      <Form
        name="Forgotten password"
        action="Send me a link"
        send={() => askForReset(email)}
        onDone={() => setSent(true)}
      >
        <Field
          label="E-mail"
          name="email"
          type="email"
          autoComplete="username"
          required
          begins
          value={email}
          onChange={setEmail}
        />
      </Form>
    </Page>
  );
}

function NewPassword({ linkKey }: { linkKey: string }) {
  const [password, setPassword] = useState("");
  const [done, setDone] = useState(false);
  if (done) {
    return (
      <Page title="Your password is changed">
        <p role="status">All your sessions are ended. Sign in with the new password.</p>
      </Page>
    );
  }
  return (
    <Page title="New password">
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
    </Page>
  );
}

function WithoutMail() {
  return (
    <Page title="Forgotten password">
      <p>This site sends no mail. Ask its administrator for a new password.</p>
    </Page>
  );
}

function Page({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className={styles.gate}>
      {/* Another heading is another step: it takes the focus. */}
      <Heading key={title} title={title} />
      {children}
      <p className={styles.other}>
        <Link to={signInPath("/")}>To the sign-in</Link>
      </p>
    </div>
  );
}
