import { describe, expect, test } from "vitest";
import { forcedText, preferredText } from "./text-preference.ts";

const track = (id: string, language = id) => ({ id, language, label: id, forced: false });

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
    ["de", { browser: ["not a tag"] }],
  ])("%s, given %j", (id, given) => {
    const criteria = { last: null, own: null, ...given };
    expect(preferredText(GERMAN_FIRST, criteria)?.id).toBe(id);
  });
});

test("of no captions there is none to read", () => {
  expect(preferredText([], { last: null, browser: ["en"], own: "en" })).toBeNull();
});

describe("of one language in several variants the viewer reads", () => {
  test.each([
    ["pt-BR", ["pt-PT", "pt-BR"], "pt-BR"],
    ["pt-PT", ["pt-BR", "pt-PT"], "pt-PT"],
    ["pt-AO", ["pt-BR", "pt-PT"], "pt-PT"],
    ["pt-PT", ["pt-BR", "pt"], "pt"],
    ["pt", ["pt-PT", "pt-BR"], "pt-BR"],
    ["zh-TW", ["zh-Hans", "zh-Hant"], "zh-Hant"],
    ["zh-HK", ["zh-Hans", "zh-Hant"], "zh-Hant"],
    ["zh-CN", ["zh-Hant", "zh-Hans"], "zh-Hans"],
    ["zh", ["zh-Hant", "zh-Hans"], "zh-Hans"],
    ["zh-TW", ["zh-CN", "zh-TW"], "zh-TW"],
    ["zh-TW", ["zh-Hans"], "zh-Hans"],
    ["es-MX", ["es-ES", "es-419"], "es-419"],
    ["es-ES", ["es-419", "es"], "es"],
    ["en-AU", ["en-US", "en-GB"], "en-GB"],
    ["en-AU", ["en", "en-GB"], "en-GB"],
    ["de-AT", ["de-CH", "de"], "de"],
    ["sr-Latn", ["sr", "sr-Latn"], "sr-Latn"],
    ["nb", ["en", "nb-NO"], "nb-NO"],
  ])("for %s of %j: %s", (browser, languages, id) => {
    const choices = languages.map((it) => track(it));
    const criteria = { last: null, browser: [browser], own: null };
    expect(preferredText(choices, criteria)?.id).toBe(id);
  });
});

describe("while captions are off the forced track is shown", () => {
  const forced = (id: string, language: string) => ({ ...track(id, language), forced: true });
  const choices = [track("de"), forced("en-2", "en"), track("en"), forced("de-2", "de")];
  test.each([
    ["of the sound's language", "de-AT", "de-2"],
    ["of a sound whose language is not known", "und", "en-2"],
    ["of no other language", "ja", undefined],
  ])("%s", (_, sound, id) => expect(forcedText(choices, sound)?.id).toBe(id));

  test("of an unknown language", () => {
    expect(forcedText([forced("und", "und")], "ja")?.id).toBe("und");
  });
});
