// Webhooks and their deliveries in words.

import type { Delivery, Webhook, WebhookEvent } from "../../api/webhooks.ts";
import { age, until } from "../../shared/format.ts";

export const EVENT_WORDS: Record<WebhookEvent, string> = {
  "video.uploaded": "Uploaded",
  "video.playable": "Playable",
  "video.ready": "Ready",
  "video.failed": "Failed",
  "captions.ready": "Captions ready",
  "video.deleted": "Deleted",
};

export function factsOfWebhook({ events, videos }: Webhook): string {
  const words = events.map((event) => EVENT_WORDS[event].toLowerCase()).join(", ");
  return `${videos === "all" ? "All videos" : "My videos"} · ${words}`;
}

/** Returns what became of a delivery, and what comes next. */
export function factsOfDelivery(delivery: Delivery, now: number): string {
  const { event, occurred, state, attempts, next, problem } = delivery;
  const known = Object.entries(EVENT_WORDS).find(([word]) => word === event);
  const begin = `${known?.[1] ?? event} ${age(occurred, now)}`;
  const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  if (state === "delivered") return `${begin} · delivered`;
  if (state === "failed") return `${begin} · given up after ${tries}: ${problem}`;
  if (problem === null) return `${begin} · on its way`;
  const again = next === null ? "" : `; next ${until(next, now)}`;
  return `${begin} · ${tries}: ${problem}${again}`;
}
