// The webhooks of this person: other programs that are notified of what happens to videos.

import { useState } from "react";
import { sentence } from "../../api/request.ts";
import type { User } from "../../api/session.ts";
import {
  deleteWebhook,
  editWebhook,
  listWebhooks,
  type NewWebhook,
  type Webhook,
} from "../../api/webhooks.ts";
import { Badge } from "../../shared/badge.tsx";
import { ErrorText } from "../../shared/error-text.tsx";
import { Row } from "../../shared/panel.tsx";
import { DeliveriesDialog } from "./deliveries-dialog.tsx";
import { type RowActions, SecretsPanel } from "./secrets-panel.tsx";
import { WebhookForm } from "./webhook-form.tsx";
import { factsOfWebhook } from "./webhook-words.ts";

export function WebhooksPanel({ user }: { user: User }) {
  const [shown, setShown] = useState<Webhook | null>(null);
  const [failure, setFailure] = useState("");

  const toggle = async ({ id, active }: Webhook, change: RowActions<Webhook>["change"]) => {
    const outcome = await editWebhook(id, { active: !active });
    setFailure(outcome.state === "failed" ? sentence(outcome.problem) : "");
    if (outcome.state === "ready") {
      change((all) => all.map((it) => (it.id === id ? outcome.value : it)));
    }
  };

  return (
    <SecretsPanel<Webhook, NewWebhook>
      title="Webhooks"
      intro="A webhook notifies another program by a signed request when something happens."
      load={listWebhooks}
      row={(it, { change, askToDelete }) => (
        <Row key={it.id} title={<Title webhook={it} />} facts={factsOfWebhook(it)}>
          <button
            type="button"
            className="button quiet small"
            aria-label={`Deliveries to ${it.url}`}
            onClick={() => setShown(it)}
          >
            Deliveries
          </button>
          <button
            type="button"
            className="button quiet small"
            aria-label={`Switch the webhook ${it.url} ${it.active ? "off" : "on"}`}
            onClick={() => toggle(it, change)}
          >
            {it.active ? "Switch off" : "Switch on"}
          </button>
          <button
            type="button"
            className="button quiet small"
            aria-label={`Delete the webhook ${it.url}`}
            onClick={askToDelete}
          >
            Delete
          </button>
        </Row>
      )}
      make="New webhook"
      form={(close, onMade) => (
        <WebhookForm mayAll={user.role === "administrator"} onClose={close} onMade={onMade} />
      )}
      secret={{
        name: "Secret",
        copy: () =>
          "Copy the secret now, by which the receiver verifies our signatures: it is not shown again.",
      }}
      deletion={{
        title: "Delete this webhook?",
        send: deleteWebhook,
        text: ({ url }) => (
          <>
            Nothing is sent to <strong>{url}</strong> any more, and its log goes too.
          </>
        ),
      }}
    >
      <ErrorText text={failure} />
      {shown !== null && <DeliveriesDialog webhook={shown} onClose={() => setShown(null)} />}
    </SecretsPanel>
  );
}

function Title({ webhook }: { webhook: Webhook }) {
  return (
    <>
      {webhook.url}
      {!webhook.active && <Badge>Off</Badge>}
    </>
  );
}
