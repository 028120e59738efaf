import { describe, expect, test } from "vitest";
import { preferredText } from "./text-preference.ts";

const track = (id: string, language = id) => ({ id, language, label: id });

const GERMAN_FIRST = [track("de"), track("en"), track("en-2", "en"), track("pt-BR")];

describe("of German and English captions the viewer reads", () => {
  test.each([
    ["en", { browser: ["en-GB", "en"] }],
    ["de", { browser: ["de-DE"] }],
    ["en", { browser: ["fr-FR", "en-US"] }],
    ["en", { browser: ["fr-FR"], own: "en" }],
    ["pt-BR", { browser: ["pt-PT"] }],
    ["de", { browser: ["fr-FR"] }],
    ["de", { browser: ["en-GB"], last: { on: true, id: "de", language: "de" } }],
    ["en-2", { browser: ["de"], last: { on: false, id: "en-2", language: "en" } }],
    ["en", { browser: ["de"], last: { on: true, id: "en-7", language: "en" } }],
    ["de", { browser: ["de"], last: { on: true, id: "fr", language: "fr" } }],
    ["de", { browser: ["und"], own: "und" }],
  ])("%s, given %j", (id, given) => {
    const criteria = { last: null, own: null, ...given };
    expect(preferredText(GERMAN_FIRST, criteria)?.id).toBe(id);
  });
});

test("of no captions there is none to read", () => {
  expect(preferredText([], { last: null, browser: ["en"], own: "en" })).toBeNull();
});
