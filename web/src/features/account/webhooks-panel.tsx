// The webhooks of this person: other programs that are notified of what happens to videos.

import { useRef, useState } from "react";
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
import { ConfirmDialog } from "../../shared/confirm-dialog.tsx";
import { CopyField } from "../../shared/copy-field.tsx";
import { ErrorText } from "../../shared/error-text.tsx";
import { Panel, Row, Rows } from "../../shared/panel.tsx";
import { Trouble } from "../../shared/trouble.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";
import styles from "./account.module.css";
import { DeliveriesDialog } from "./deliveries-dialog.tsx";
import { WebhookForm } from "./webhook-form.tsx";
import { factsOfWebhook } from "./webhook-words.ts";

export function WebhooksPanel({ user }: { user: User }) {
  const { value: webhooks, reload, change } = useLoaded(listWebhooks);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<NewWebhook | null>(null);
  const [shown, setShown] = useState<Webhook | null>(null);
  const [deleting, setDeleting] = useState<Webhook | null>(null);
  const [failure, setFailure] = useState("");
  const heading = useRef<HTMLHeadingElement>(null);

  const toggle = async ({ id, active }: Webhook) => {
    const outcome = await editWebhook(id, { active: !active });
    setFailure(outcome.state === "failed" ? sentence(outcome.problem) : "");
    if (outcome.state === "ready") {
      change((all) => all.map((it) => (it.id === id ? outcome.value : it)));
    }
  };

  return (
    <Panel title="Webhooks" heading={heading}>
      <p>A webhook notifies another program by a signed request when something happens.</p>
      {made !== null && (
        <div className={styles.once}>
          <p role="status">
            Copy the secret now, by which the receiver verifies our signatures: it is not shown
            again.
          </p>
          <CopyField name="Secret" text={made.secret} />
          <div className="actions">
            <button
              type="button"
              className="button quiet small"
              onClick={() => {
                setMade(null);
                heading.current?.focus();
              }}
            >
              I have copied it
            </button>
          </div>
        </div>
      )}
      {webhooks.state === "failed" && <Trouble problem={webhooks.problem} onRetry={reload} />}
      {webhooks.state === "ready" && webhooks.value.length > 0 && (
        <Rows name="Webhooks">
          {webhooks.value.map((it) => (
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
                onClick={() => toggle(it)}
              >
                {it.active ? "Switch off" : "Switch on"}
              </button>
              <button
                type="button"
                className="button quiet small"
                aria-label={`Delete the webhook ${it.url}`}
                onClick={() => setDeleting(it)}
              >
                Delete
              </button>
            </Row>
          ))}
        </Rows>
      )}
      <ErrorText text={failure} />
      {making ? (
        <div className={styles.part}>
          <WebhookForm
            mayAll={user.role === "administrator"}
            onClose={() => {
              setMaking(false);
              heading.current?.focus();
            }}
            onMade={(webhook) => {
              setMaking(false);
              setMade(webhook);
              change((all) => [webhook, ...all]);
            }}
          />
        </div>
      ) : (
        <button type="button" className="button small" onClick={() => setMaking(true)}>
          New webhook
        </button>
      )}
      {shown !== null && <DeliveriesDialog webhook={shown} onClose={() => setShown(null)} />}
      {deleting !== null && (
        <ConfirmDialog
          title="Delete this webhook?"
          action="Delete"
          keep="Keep it"
          send={() => deleteWebhook(deleting.id)}
          onClose={() => setDeleting(null)}
          onDone={() => {
            change((all) => all.filter((it) => it.id !== deleting.id));
            if (made?.id === deleting.id) setMade(null);
            setDeleting(null);
            requestAnimationFrame(() => heading.current?.focus());
          }}
        >
          <p>
            Nothing is sent to <strong>{deleting.url}</strong> any more, and its log goes too.
          </p>
        </ConfirmDialog>
      )}
    </Panel>
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
