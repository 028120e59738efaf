// The log of a webhook: what was sent, what became of it, and the button that sends it again.

import { useCallback, useState } from "react";
import { sentence } from "../../api/request.ts";
import { type Delivery, listDeliveries, sendAgain, type Webhook } from "../../api/webhooks.ts";
import { Dialog } from "../../shared/dialog.tsx";
import { ErrorText } from "../../shared/error-text.tsx";
import { Row, Rows } from "../../shared/panel.tsx";
import { Trouble } from "../../shared/trouble.tsx";
import { usePolled } from "../../shared/use-polled.ts";
import { factsOfDelivery } from "./webhook-words.ts";

interface DeliveriesDialogProps {
  webhook: Webhook;
  onClose: () => void;
}

export function DeliveriesDialog({ webhook, onClose }: DeliveriesDialogProps) {
  const { id } = webhook;
  const load = useCallback(() => listDeliveries(id), [id]);
  const { value: deliveries, problem, reload } = usePolled(load);
  const [failure, setFailure] = useState("");
  const again = async (delivery: Delivery) => {
    const outcome = await sendAgain(id, delivery.id);
    setFailure(outcome.state === "failed" ? sentence(outcome.problem) : "");
    if (outcome.state === "ready") reload();
  };
  return (
    <Dialog title="Deliveries" onClose={onClose}>
      {problem !== null && <Trouble problem={problem} onRetry={reload} />}
      {deliveries.state === "ready" && deliveries.value.length === 0 && (
        <p>Nothing has been sent to {webhook.url} yet.</p>
      )}
      {deliveries.state === "ready" && deliveries.value.length > 0 && (
        <Rows name="Deliveries">
          {deliveries.value.map((it) => (
            <Row key={it.id} title={it.title} facts={factsOfDelivery(it, Date.now())}>
              <button
                type="button"
                className="button quiet small"
                aria-label={`Send ${it.event} of ${it.title} again`}
                onClick={() => again(it)}
              >
                Send again
              </button>
            </Row>
          ))}
        </Rows>
      )}
      <ErrorText text={failure} />
    </Dialog>
  );
}
