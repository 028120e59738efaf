// The page of a link that proves the new address of an account. It waits for a click: programs that look at mail open its links too.

import { useState } from "react";
import { proveAddress } from "../../api/account.ts";
import { Form } from "../../shared/form.tsx";
import { session } from "../../shared/session.ts";
import { AccountPage } from "./account-page.tsx";

export function NewAddress({ linkKey }: { linkKey: string }) {
  const [done, setDone] = useState(false);
  if (done) {
    return (
      <AccountPage title="Your e-mail is changed">
        <p role="status">Sign in with it from now on.</p>
      </AccountPage>
    );
  }
  return (
    <AccountPage title="New e-mail">
      <p>The account gets the address to which this link was sent.</p>
      <Form
        name="New e-mail"
        action="Use this address"
        send={() => proveAddress(linkKey)}
        onDone={() => {
          setDone(true);
          void session.load();
        }}
      />
    </AccountPage>
  );
}
