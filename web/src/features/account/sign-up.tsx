// Making an account: the first one of a site, or by a link of an invitation or of a mail to somebody who signs up.

import { useState } from "react";
import { providerPath } from "../../api/identity.ts";
import { askToSignUp, signUp } from "../../api/session.ts";
import { Field, Form } from "../../shared/form.tsx";
import { Heading } from "../../shared/heading.tsx";
import { Link } from "../../shared/navigation.tsx";
import { signInPath } from "../../shared/route.ts";
import { session } from "../../shared/session.ts";
import styles from "./account.module.css";
import { AccountPage, LinkByMail } from "./account-page.tsx";
import { EmailField } from "./email-field.tsx";

interface SignUpProps {
  /** The first account is the administrator's. */
  kind: "first" | "later";
  /** Of the link that led here. */
  linkKey: string | null;
  onSignedUp: () => void;
}

export function SignUp({ kind, linkKey, onSignedUp }: SignUpProps) {
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  return (
    <div className={styles.gate}>
      <Heading title={kind === "first" ? "Create the first account" : "Create an account"} />
      {kind === "first" && (
        <p>
          It is the administrator’s: it invites others and may change every video.
          {linkKey === null &&
            " Where others reach this server too, open the link that its terminal shows."}
        </p>
      )}
      <Form
        name="Create an account"
        action="Create account"
        send={() => signUp({ name, email, password, key: linkKey })}
        onDone={(user) => {
          session.enter(user);
          onSignedUp();
        }}
      >
        <Field
          label="Name"
          name="name"
          autoComplete="name"
          hint="Others see it beside your videos."
          required
          begins
          value={name}
          onChange={setName}
        />
        <EmailField value={email} onChange={setEmail} />
        <Field
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          hint="8 to 128 characters of any kind; a few words are best."
          required
          value={password}
          onChange={setPassword}
        />
      </Form>
      {kind === "later" && (
        <p className={styles.other}>
          Do you have an account? <Link to={signInPath("/")}>Sign in</Link>
        </p>
      )}
    </div>
  );
}

/** Asks for the address of a new account, which a mail proves. */
export function AskToSignUp() {
  return (
    <LinkByMail
      title="Create an account"
      hint="You get a link by mail that goes on with it."
      send={askToSignUp}
      sent={(email) => (
        <>
          A mail to {email} is on its way. Its link creates the account, within a day; if you have
          one already, it says so.
        </>
      )}
    />
  );
}

/** Stands where only an OpenID provider makes accounts. */
export function SignUpByProvider() {
  return (
    <AccountPage title="Create an account">
      <p>Accounts on this site come with single sign-on, which makes yours the first time.</p>
      <p>
        {/* The server's, which sends the browser on to the provider: no page of this one. */}
        <a className="button" href={providerPath("/")}>
          Single sign-on
        </a>
      </p>
    </AccountPage>
  );
}

/** Stands where signing up is not possible. */
export function SignUpClosed() {
  return (
    <AccountPage title="Create an account">
      <p>Accounts on this site are by invitation. Ask its administrator for a link.</p>
    </AccountPage>
  );
}
