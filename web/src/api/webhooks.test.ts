import { expect, test } from "vitest";
import { decodeDeliveries, decodeNewWebhook, decodeWebhooks } from "./webhooks.ts";

const WEBHOOK = {
  id: "w",
  url: "https://example.org/",
  events: ["video.ready", "video.watched"],
  videos: "all",
  active: true,
  created: "2026-01-01T00:00:00Z",
};

test("a webhook keeps the events that this page knows", () => {
  expect(decodeWebhooks({ webhooks: [WEBHOOK, {}] })).toEqual([
    { ...WEBHOOK, events: ["video.ready"] },
  ]);
  expect(decodeWebhooks({})).toBeNull();
});

test("a new webhook is nothing without its secret", () => {
  expect(decodeNewWebhook({ ...WEBHOOK, secret: "whsec_x" })?.secret).toBe("whsec_x");
  expect(decodeNewWebhook(WEBHOOK)).toBeNull();
});

test("a delivery is read whole, and one without an id is left out", () => {
  const delivery = {
    id: "d",
    event: "video.failed",
    video: { id: "v", title: "Title" },
    occurred: "2026-01-01T00:00:00Z",
    state: "failed",
    attempts: 11,
    next: null,
    status: 500,
    problem: "it answered 500",
  };
  const { video, ...rest } = delivery;
  expect(decodeDeliveries({ deliveries: [delivery, { state: "failed" }] })).toEqual([
    { ...rest, title: video.title },
  ]);
});
