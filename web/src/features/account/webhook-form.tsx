// The form of a new webhook: where it sends to, what, and of which videos.

import { useId, useState } from "react";
import {
  makeWebhook,
  type NewWebhook,
  WEBHOOK_EVENTS,
  type Webhook,
  type WebhookEvent,
} from "../../api/webhooks.ts";
import { Field, Form } from "../../shared/form.tsx";
import styles from "./account.module.css";
import { EVENT_WORDS } from "./webhook-words.ts";

interface WebhookFormProps {
  /** Whether the person may choose all videos. */
  mayAll: boolean;
  onClose: () => void;
  onMade: (webhook: NewWebhook) => void;
}

export function WebhookForm({ mayAll, onClose, onMade }: WebhookFormProps) {
  const [url, setUrl] = useState("");
  const [events, setEvents] = useState<WebhookEvent[]>(["video.ready", "video.failed"]);
  const [videos, setVideos] = useState<Webhook["videos"]>("own");
  const choice = useId();
  const toggle = (event: WebhookEvent, on: boolean) =>
    setEvents(on ? [...events, event] : events.filter((it) => it !== event));
  return (
    <Form
      name="New webhook"
      action="Make webhook"
      send={() => makeWebhook({ url, events, videos })}
      onDone={onMade}
      onCancel={onClose}
    >
      <Field
        label="URL"
        name="url"
        type="url"
        autoComplete="off"
        hint="An https address on the public internet that takes POST."
        required
        begins
        value={url}
        onChange={setUrl}
      />
      <fieldset className={styles.scopes}>
        <legend>It is notified of</legend>
        {WEBHOOK_EVENTS.map((event) => (
          <label key={event}>
            <input
              type="checkbox"
              checked={events.includes(event)}
              onChange={(change) => toggle(event, change.target.checked)}
            />
            {EVENT_WORDS[event]}
          </label>
        ))}
      </fieldset>
      {mayAll && (
        <div className="field">
          <label htmlFor={choice}>Of</label>
          <select
            id={choice}
            value={videos}
            onChange={(event) => setVideos(event.target.value === "all" ? "all" : "own")}
          >
            <option value="own">My videos</option>
            <option value="all">All videos</option>
          </select>
        </div>
      )}
    </Form>
  );
}
