// The end of an account, with all its videos.

import { useState } from "react";
import { deleteAccount } from "../../api/account.ts";
import { Dialog } from "../../shared/dialog.tsx";
import { Field, Form } from "../../shared/form.tsx";
import { Panel } from "../../shared/panel.tsx";
import { LIBRARY } from "../../shared/route.ts";
import { Username } from "./username.tsx";

export function DeleteAccount({ email }: { email: string }) {
  const [asking, setAsking] = useState(false);
  const [password, setPassword] = useState("");
  const close = () => {
    setAsking(false);
    setPassword("");
  };
  return (
    <Panel title="Delete account">
      <p>Your account and all your videos are deleted. This cannot be undone.</p>
      <button type="button" className="button quiet small" onClick={() => setAsking(true)}>
        Delete my account
      </button>
      {asking && (
        <Dialog title="Delete your account?" onClose={close}>
          <p>
            All your videos, sessions and tokens go with it, and nothing brings them back. Your
            password confirms that it is you.
          </p>
          <Form
            name="Delete account"
            action="Delete for good"
            send={() => deleteAccount(password)}
            // From the server anew: nothing of the person may stay in the page.
            onDone={() => window.location.assign(LIBRARY)}
            onCancel={close}
          >
            <Username email={email} />
            <Field
              label="Current password"
              name="current_password"
              type="password"
              autoComplete="current-password"
              required
              begins
              value={password}
              onChange={setPassword}
            />
          </Form>
        </Dialog>
      )}
    </Panel>
  );
}
