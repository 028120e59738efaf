// Signing in: a page of its own, and a dialog above a page whose session has ended.

import { type ReactNode, useState } from "react";
import { providerPath } from "../../api/identity.ts";
import { signIn, type User } from "../../api/session.ts";
import { Dialog } from "../../shared/dialog.tsx";
import { ErrorText } from "../../shared/error-text.tsx";
import { Field, Form } from "../../shared/form.tsx";
import { Heading } from "../../shared/heading.tsx";
import { Link, useQuery } from "../../shared/navigation.tsx";
import { decodeRoute, FORGOTTEN, nextPath, SIGN_UP } from "../../shared/route.ts";
import { session, useSession } from "../../shared/session.ts";
import styles from "./account.module.css";
import { EmailField } from "./email-field.tsx";
import { providerTrouble } from "./provider-words.ts";

interface SignInProps {
  /** Why this page is shown where another one was expected. */
  reason?: ReactNode;
  onSignedIn: () => void;
}

export function SignIn({ reason, onSignedIn }: SignInProps) {
  const state = useSession();
  const query = useQuery();
  const trouble = providerTrouble(query);
  const here = window.location.pathname;
  const goOnTo = decodeRoute(here).page === "sign-in" ? nextPath(query) : `${here}${query}`;
  const enter = (user: User) => {
    session.enter(user);
    onSignedIn();
  };
  return (
    <div className={styles.gate}>
      <Heading title="Sign in" />
      {reason !== undefined && <p>{reason}</p>}
      <ErrorText text={trouble ?? ""} />
      <SignInForm email="" onSignedIn={enter} />
      {state.state === "on" && state.openid && (
        <p className={styles.other}>
          {/* The server's, which sends the browser on to the provider: no page of this one. */}
          <a className="button quiet" href={providerPath(goOnTo)}>
            Single sign-on
          </a>
        </p>
      )}
      {state.state === "on" && (
        <p className={styles.other}>
          <Link to={FORGOTTEN}>Forgot your password?</Link>
        </p>
      )}
      {state.state === "on" && state.signUp === "open" && (
        <p className={styles.other}>
          No account yet? <Link to={SIGN_UP}>Create one</Link>
        </p>
      )}
    </div>
  );
}

/** Asks a person whose session has ended, with all that they have typed still below it. */
export function SignInDialog({ email }: { email: string }) {
  return (
    <Dialog title="Your session has ended" onClose={session.dismiss}>
      <p>Sign in again, and this page goes on where it was. Nothing that you typed is lost.</p>
      <SignInForm
        email={email}
        onSignedIn={(user) => session.enter(user)}
        onCancel={session.dismiss}
      />
    </Dialog>
  );
}

interface SignInFormProps {
  email: string;
  onSignedIn: (user: User) => void;
  onCancel?: () => void;
}

function SignInForm({ email: known, onSignedIn, onCancel }: SignInFormProps) {
  const [email, setEmail] = useState(known);
  const [password, setPassword] = useState("");
  // Null until the server asks for the code of a second factor, which it does once the password is right.
  const [code, setCode] = useState<string | null>(null);
  const send = async () => {
    const outcome = await signIn({ email, password, code });
    if (outcome.state === "failed" && outcome.problem.code === "second_factor_required") {
      setCode(code ?? "");
    }
    return outcome;
  };
  return (
    <Form
      name="Sign in"
      action="Sign in"
      send={send}
      onDone={onSignedIn}
      {...(onCancel && { onCancel })}
    >
      <EmailField begins={known === ""} value={email} onChange={setEmail} />
      <Field
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        required
        begins={known !== ""}
        value={password}
        onChange={setPassword}
      />
      {code !== null && (
        <Field
          label="Code"
          name="code"
          autoComplete="one-time-code"
          autoCapitalize="none"
          spellCheck={false}
          hint="Of your authenticator app, or one of your recovery codes."
          required
          begins
          value={code}
          onChange={setCode}
        />
      )}
    </Form>
  );
}
