import { expect, test } from "vitest";
import type { Delivery } from "../../api/webhooks.ts";
import { factsOfDelivery, factsOfWebhook } from "./webhook-words.ts";

const NOW = Date.parse("2026-01-01T12:00:00Z");

const DELIVERY: Delivery = {
  id: "d",
  event: "video.ready",
  title: "Title",
  occurred: "2026-01-01T11:00:00Z",
  state: "waiting",
  attempts: 0,
  next: null,
  status: null,
  problem: null,
};

test("a webhook says which videos and which events", () => {
  const webhook = { id: "w", url: "", active: true, created: "" };
  expect(
    factsOfWebhook({ ...webhook, videos: "own", events: ["video.ready", "captions.ready"] }),
  ).toBe("My videos · ready, captions ready");
});

test("a delivery says how far it is and why", () => {
  const facts = (more: Partial<Delivery>) => factsOfDelivery({ ...DELIVERY, ...more }, NOW);
  expect(facts({})).toMatch(/^Ready .* · on its way$/);
  expect(facts({ state: "delivered", attempts: 1 })).toMatch(/ · delivered$/);
  const problem = "it answered 500";
  expect(facts({ problem, attempts: 1, next: "2026-01-01T13:00:00Z" })).toMatch(
    / · 1 attempt: it answered 500; next /,
  );
  expect(facts({ state: "failed", problem, attempts: 11 })).toMatch(
    / · given up after 11 attempts: it answered 500$/,
  );
  expect(facts({ event: "video.watched" })).toMatch(/^video.watched /);
});
