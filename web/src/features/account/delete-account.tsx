// The end of an account: its videos go with it, or another person gets them.

import { useState } from "react";
import { deleteAccount } from "../../api/account.ts";
import { FateOfVideos, type Heir } from "../../shared/fate-of-videos.tsx";
import { Field } from "../../shared/form.tsx";
import { Panel } from "../../shared/panel.tsx";
import { LIBRARY } from "../../shared/route.ts";
import { PasswordDialog } from "./password-dialog.tsx";

export function DeleteAccount({ email }: { email: string }) {
  const [asking, setAsking] = useState(false);
  const [heir, setHeir] = useState<Heir>(null);
  return (
    <Panel title="Delete account">
      <p>Your account is deleted, with your videos or without. This cannot be undone.</p>
      <button type="button" className="button quiet small" onClick={() => setAsking(true)}>
        Delete my account
      </button>
      {asking && (
        <PasswordDialog
          title="Delete your account?"
          action="Delete for good"
          email={email}
          send={(password) => deleteAccount(password, heir)}
          onClose={() => setAsking(false)}
          // From the server anew: nothing of the person may stay in the page.
          onDone={() => window.location.assign(LIBRARY)}
          fields={
            <FateOfVideos heir={heir} onChoose={setHeir}>
              <Field
                label="Account id"
                name="heir"
                required
                autoComplete="off"
                autoCapitalize="none"
                spellCheck={false}
                hint="Of the person who gets your videos; they find it on the page of their account."
                value={heir ?? ""}
                onChange={setHeir}
              />
            </FateOfVideos>
          }
        >
          <p>
            All your sessions and tokens go with it, and nothing brings them back. Your password
            confirms that it is you.
          </p>
        </PasswordDialog>
      )}
    </Panel>
  );
}
