// A page of somebody who is not signed in, and the one of them that asks for a link by mail.

import { type ReactNode, useState } from "react";
import type { Outcome } from "../../api/request.ts";
import { Form } from "../../shared/form.tsx";
import { Heading } from "../../shared/heading.tsx";
import { Link } from "../../shared/navigation.tsx";
import { signInPath } from "../../shared/route.ts";
import styles from "./account.module.css";
import { EmailField } from "./email-field.tsx";

export function AccountPage({ title, children }: { title: string; children: ReactNode }) {
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

interface LinkByMailProps {
  title: string;
  /** The words above the field. */
  hint: string;
  send: (email: string) => Promise<Outcome<true>>;
  /** The words once the mail is on its way. */
  sent: (email: ReactNode) => ReactNode;
}

export function LinkByMail({ title, hint, send, sent }: LinkByMailProps) {
  const [email, setEmail] = useState("");
  const [done, setDone] = useState(false);
  if (done) {
    return (
      <AccountPage title="Look into your mail">
        <p role="status">{sent(<strong>{email}</strong>)}</p>
      </AccountPage>
    );
  }
  return (
    <AccountPage title={title}>
      <p>{hint}</p>
      <Form
        name={title}
        action="Send me a link"
        send={() => send(email)}
        onDone={() => setDone(true)}
      >
        <EmailField begins value={email} onChange={setEmail} />
      </Form>
    </AccountPage>
  );
}
