// The link of this account to an OpenID provider, by which it signs in without the password.

import { useRef, useState } from "react";
import { flushSync } from "react-dom";
import { beginLink, showIdentity, unlinkIdentity } from "../../api/identity.ts";
import { ErrorText } from "../../shared/error-text.tsx";
import { useQuery } from "../../shared/navigation.tsx";
import { Panel } from "../../shared/panel.tsx";
import { useSession } from "../../shared/session.ts";
import { Trouble } from "../../shared/trouble.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";
import { PasswordDialog } from "./password-dialog.tsx";
import { providerTrouble } from "./provider-words.ts";

export function IdentityPanel({ email }: { email: string }) {
  const session = useSession();
  return session.state === "on" && session.openid ? <Linked email={email} /> : null;
}

function Linked({ email }: { email: string }) {
  const { value: identity, reload, change } = useLoaded(showIdentity, "identity");
  const [asking, setAsking] = useState(false);
  const trouble = providerTrouble(useQuery());
  const heading = useRef<HTMLHeadingElement>(null);
  const linked = identity.state === "ready" && identity.value.linked;
  const close = () => {
    // At once: a dialog that closes gives the focus back to where it was, and must not do so later.
    flushSync(() => setAsking(false));
    heading.current?.focus();
  };
  return (
    <Panel title="Single sign-on" heading={heading}>
      {identity.state === "failed" && <Trouble problem={identity.problem} onRetry={reload} />}
      {identity.state === "ready" && (
        <>
          <p>
            {linked
              ? "Your account at the provider of this site signs you in here."
              : "Link your account at the provider of this site, and it signs you in here."}
          </p>
          <ErrorText text={trouble ?? ""} />
          <button
            type="button"
            className={linked ? "button quiet small" : "button small"}
            onClick={() => setAsking(true)}
          >
            {linked ? "Unlink" : "Link"}
          </button>
        </>
      )}
      {asking && !linked && (
        <PasswordDialog
          title="Link your account"
          action="Go on to the provider"
          email={email}
          send={beginLink}
          onClose={close}
          onDone={(url) => window.location.assign(url)}
        />
      )}
      {asking && linked && (
        <PasswordDialog
          title="Unlink your account?"
          action="Unlink"
          email={email}
          send={unlinkIdentity}
          onClose={close}
          onDone={() => {
            change(() => ({ linked: false }));
            close();
          }}
        >
          <p>Your password signs you in from then on.</p>
        </PasswordDialog>
      )}
    </Panel>
  );
}
