// Invitations: links by which one person each may make an account.

import { useRef, useState } from "react";
import {
  type Invitation,
  invite,
  listInvitations,
  type NewInvitation,
  withdrawInvitation,
} from "../../api/people.ts";
import { sentence } from "../../api/request.ts";
import { CopyField } from "../../shared/copy-field.tsx";
import { ErrorText } from "../../shared/error-text.tsx";
import { Field, Form } from "../../shared/form.tsx";
import { until } from "../../shared/format.ts";
import { Panel, Row, Rows } from "../../shared/panel.tsx";
import { useSession } from "../../shared/session.ts";
import { Trouble } from "../../shared/trouble.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";
import styles from "./people.module.css";

export function InvitationsPanel() {
  const session = useSession();
  const closed = session.state === "on" && session.signUp === "closed";
  return closed ? (
    <Panel title="Invitations">
      <p>
        Nobody can sign up on this site. Set <code>sign_up</code> to <code>invitation</code> to
        invite people here, or add them with <code>clipcut user add</code>.
      </p>
    </Panel>
  ) : (
    <OpenInvitations />
  );
}

const WITH_MAIL =
  "The link is sent there, and only this address can use it. Without one, anybody who has the link can, once.";
const WITHOUT_MAIL =
  "Only this address can then use the link, which you send: this site sends no mail. Without one, anybody who has the link can, once.";

function OpenInvitations() {
  const session = useSession();
  const { value: invitations, reload, change } = useLoaded(listInvitations, "invitations");
  const [email, setEmail] = useState("");
  const [made, setMade] = useState<NewInvitation | null>(null);
  const [failure, setFailure] = useState("");
  const heading = useRef<HTMLHeadingElement>(null);

  const withdraw = async ({ id }: Invitation) => {
    const outcome = await withdrawInvitation(id);
    if (outcome.state === "failed" && outcome.problem.status !== 404) {
      setFailure(sentence(outcome.problem));
      return;
    }
    setFailure("");
    if (made?.id === id) setMade(null);
    change((all) => all.filter((it) => it.id !== id));
    heading.current?.focus();
  };

  return (
    <Panel title="Invitations" heading={heading}>
      <Form
        name="Invite"
        action={session.state === "on" && session.mail && email !== "" ? "Send" : "Make a link"}
        send={() => invite(email.trim())}
        onDone={(invitation) => {
          setEmail("");
          setMade(invitation);
          change((all) => [invitation, ...all]);
        }}
      >
        <Field
          label="E-mail (optional)"
          name="email"
          type="email"
          autoComplete="off"
          hint={session.state === "on" && session.mail ? WITH_MAIL : WITHOUT_MAIL}
          value={email}
          onChange={setEmail}
        />
      </Form>
      {made !== null && made.link === null && (
        <p role="status" className={styles.made}>
          An invitation is on its way to {made.email}.
        </p>
      )}
      {made !== null && made.link !== null && (
        <div className={styles.made}>
          <p role="status">
            Send this link to {made.email ?? "the person you invite"}; it is not shown again.
          </p>
          <CopyField name="Link" text={new URL(made.link, window.location.origin).href} />
        </div>
      )}
      {invitations.state === "failed" && <Trouble problem={invitations.problem} onRetry={reload} />}
      {invitations.state === "ready" && invitations.value.length > 0 && (
        <Rows name="Invitations">
          {invitations.value.map((it) => (
            <Row
              key={it.id}
              title={it.email ?? "Anybody with the link"}
              facts={`Not used yet · ends ${until(it.expires, Date.now())}`}
            >
              <button
                type="button"
                className="button quiet small"
                aria-label={`Withdraw the invitation for ${it.email ?? "anybody with the link"}`}
                onClick={() => withdraw(it)}
              >
                Withdraw
              </button>
            </Row>
          ))}
        </Rows>
      )}
      <ErrorText text={failure} />
    </Panel>
  );
}
