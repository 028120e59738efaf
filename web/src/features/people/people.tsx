// The administrator's page of people: their accounts, and invitations to make one.

import type { User } from "../../api/session.ts";
import { Heading } from "../../shared/heading.tsx";
import { Panels } from "../../shared/panel.tsx";
import { AccountsPanel } from "./accounts-panel.tsx";
import { InvitationsPanel } from "./invitations-panel.tsx";

export function People({ user }: { user: User }) {
  return (
    <Panels>
      <Heading title="People" />
      <AccountsPanel user={user} />
      <InvitationsPanel />
    </Panels>
  );
}
