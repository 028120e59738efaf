// The end of an account, with all its videos.

import { useState } from "react";
import { deleteAccount } from "../../api/account.ts";
import { Panel } from "../../shared/panel.tsx";
import { LIBRARY } from "../../shared/route.ts";
import { PasswordDialog } from "./password-dialog.tsx";

export function DeleteAccount({ email }: { email: string }) {
  const [asking, setAsking] = useState(false);
  return (
    <Panel title="Delete account">
      <p>Your account and all your videos are deleted. This cannot be undone.</p>
      <button type="button" className="button quiet small" onClick={() => setAsking(true)}>
        Delete my account
      </button>
      {asking && (
        <PasswordDialog
          title="Delete your account?"
          action="Delete for good"
          email={email}
          send={deleteAccount}
          onClose={() => setAsking(false)}
          // From the server anew: nothing of the person may stay in the page.
          onDone={() => window.location.assign(LIBRARY)}
        >
          <p>
            All your videos, sessions and tokens go with it, and nothing brings them back. Your
            password confirms that it is you.
          </p>
        </PasswordDialog>
      )}
    </Panel>
  );
}
