// Webhooks: addresses of other programs that are notified of what happens to videos, and the log of what was sent.

import { isDocument, list, number, text } from "./json.ts";
import { type Outcome, request } from "./request.ts";
import type * as Schema from "./schema.ts";

const ROOT = "/api/v1/webhooks";

export const WEBHOOK_EVENTS = [
  "video.uploaded",
  "video.playable",
  "video.ready",
  "video.failed",
  "captions.ready",
  "video.deleted",
] as const;

export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

export interface Webhook {
  id: string;
  url: string;
  events: WebhookEvent[];
  /** All videos are an administrator's choice. */
  videos: "own" | "all";
  active: boolean;
  created: string;
}

/** A webhook as it is shown once, when it is made. */
export interface NewWebhook extends Webhook {
  secret: string;
}

export interface Delivery {
  id: string;
  event: string;
  /** The video's title as it was. */
  title: string;
  occurred: string;
  state: "waiting" | "delivered" | "failed";
  attempts: number;
  /** The next attempt of one that waits. */
  next: string | null;
  /** The status of the last answer; null where there was none. */
  status: number | null;
  /** Why the last attempt did not succeed. */
  problem: string | null;
}

export function listWebhooks(): Promise<Outcome<Webhook[]>> {
  return request(ROOT, { decode: decodeWebhooks });
}

export type WebhookWish = Pick<Webhook, "url" | "events" | "videos">;

export function makeWebhook(wish: WebhookWish): Promise<Outcome<NewWebhook>> {
  return request(ROOT, {
    method: "POST",
    body: wish satisfies Schema.NewWebhook,
    decode: decodeNewWebhook,
  });
}

export type WebhookEdit = Partial<Pick<Webhook, "url" | "events" | "active">>;

export function editWebhook(id: string, edit: WebhookEdit): Promise<Outcome<Webhook>> {
  return request(pathOf(id), {
    method: "PATCH",
    body: edit satisfies Schema.WebhookChanges,
    decode: decodeWebhook,
  });
}

export function deleteWebhook(id: string): Promise<Outcome<true>> {
  return request(pathOf(id), { method: "DELETE", decode: () => true });
}

export function listDeliveries(id: string): Promise<Outcome<Delivery[]>> {
  return request(`${pathOf(id)}/deliveries`, { decode: decodeDeliveries });
}

export function sendAgain(id: string, delivery: string): Promise<Outcome<true>> {
  const path = `${pathOf(id)}/deliveries/${encodeURIComponent(delivery)}/retry`;
  return request(path, { method: "POST", body: {}, decode: () => true });
}

function pathOf(id: string): string {
  return `${ROOT}/${encodeURIComponent(id)}`;
}

export function decodeWebhooks(value: unknown): Webhook[] | null {
  if (!isDocument<Schema.WebhookList>(value) || !Array.isArray(value.webhooks)) return null;
  return list(value.webhooks)
    .map(decodeWebhook)
    .filter((it) => it !== null);
}

export function decodeNewWebhook(value: unknown): NewWebhook | null {
  const webhook = decodeWebhook(value);
  const secret = isDocument<Schema.MadeWebhook>(value) ? text(value.secret) : null;
  return webhook === null || secret === null ? null : { ...webhook, secret };
}

export function decodeDeliveries(value: unknown): Delivery[] | null {
  if (!isDocument<Schema.DeliveryList>(value) || !Array.isArray(value.deliveries)) return null;
  return list(value.deliveries)
    .map(decodeDelivery)
    .filter((it) => it !== null);
}

function decodeWebhook(value: unknown): Webhook | null {
  if (!isDocument<Schema.Webhook>(value) || typeof value.id !== "string") return null;
  return {
    id: value.id,
    url: text(value.url) ?? "",
    events: list(value.events).filter(isEvent),
    videos: value.videos === "all" ? "all" : "own",
    active: value.active === true,
    created: text(value.created) ?? "",
  };
}

function decodeDelivery(value: unknown): Delivery | null {
  if (!isDocument<Schema.Delivery>(value) || typeof value.id !== "string") return null;
  const { state } = value;
  return {
    id: value.id,
    event: text(value.event) ?? "",
    title: (isDocument<Schema.VideoOfDelivery>(value.video) ? text(value.video.title) : null) ?? "",
    occurred: text(value.occurred) ?? "",
    state: state === "delivered" || state === "failed" ? state : "waiting",
    attempts: number(value.attempts) ?? 0,
    next: text(value.next),
    status: number(value.status),
    problem: text(value.problem),
  };
}

function isEvent(value: unknown): value is WebhookEvent {
  return WEBHOOK_EVENTS.some((event) => event === value);
}
