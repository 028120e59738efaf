// The page of a person's own account.

import type { User } from "../../api/session.ts";
import { Heading } from "../../shared/heading.tsx";
import { Panels } from "../../shared/panel.tsx";
import { DeleteAccount } from "./delete-account.tsx";
import { IdentityPanel } from "./identity-panel.tsx";
import { PasswordPanel } from "./password-panel.tsx";
import { ProfilePanel } from "./profile-panel.tsx";
import { SecondFactorPanel } from "./second-factor-panel.tsx";
import { SessionsPanel } from "./sessions-panel.tsx";
import { StoragePanel } from "./storage-panel.tsx";
import { TokensPanel } from "./tokens-panel.tsx";
import { WebhooksPanel } from "./webhooks-panel.tsx";

export function Account({ user }: { user: User }) {
  return (
    <Panels>
      <Heading title="My account" />
      <ProfilePanel user={user} />
      <PasswordPanel email={user.email} />
      <SecondFactorPanel email={user.email} />
      <IdentityPanel email={user.email} />
      <StoragePanel />
      <SessionsPanel />
      <TokensPanel />
      <WebhooksPanel user={user} />
      <DeleteAccount email={user.email} />
    </Panels>
  );
}
