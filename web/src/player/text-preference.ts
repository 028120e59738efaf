// The choice among caption tracks: the viewer's last one, else by the browser's languages, else the video's own.

import type { TextChoice } from "./state.ts";

/** The viewer's last choice of captions. Null: none was ever made. */
export interface TextPreference {
  on: boolean;
  /** The track's folder, which distinguishes two tracks of one language. */
  id: string | null;
  language: string | null;
}

export interface TextCriteria {
  last: TextPreference | null;
  /** BCP 47 tags, the most wanted first. */
  browser: readonly string[];
  /** The language that is spoken in the video. */
  own: string | null;
}

/** Returns the track that this viewer would read; null only if there is none. */
export function preferredText(
  choices: readonly TextChoice[],
  { last, browser, own }: TextCriteria,
): TextChoice | null {
  const named = choices.find((it) => it.id === last?.id && it.language === last?.language);
  if (named !== undefined) return named;
  const wanted = [last?.language ?? "", ...browser, own ?? ""];
  for (const tag of wanted) {
    const found = ofLanguage(choices, tag);
    if (found !== null) return found;
  }
  return choices[0] ?? null;
}

/** Returns the words that are shown while captions are off: those for foreign speech in a film of the sound's language. */
export function forcedText(choices: readonly TextChoice[], sound: string): TextChoice | null {
  // RFC 8216 §4.3.4.1. A sound of unknown language has no others to be told from.
  const fits = ({ language }: TextChoice) =>
    localeOf(sound) === null || localeOf(language) === null || nearnessOf(sound, language) > 0;
  return choices.find((it) => it.forced && fits(it)) ?? null;
}

// RFC 4647 §3.4 "lookup", in both directions: en-GB takes en, and en takes en-GB rather than another language.
function ofLanguage(choices: readonly TextChoice[], tag: string): TextChoice | null {
  let best: { choice: TextChoice; nearness: number } | null = null;
  for (const choice of choices) {
    const nearness = nearnessOf(tag, choice.language);
    if (nearness > (best?.nearness ?? 0)) best = { choice, nearness };
  }
  return best?.choice ?? null;
}

/** Returns how well the reader of `wanted` reads `given`: 0 for another language, the highest for the same tag. */
export function nearnessOf(wanted: string, given: string): number {
  const [reader, words] = [localeOf(wanted), localeOf(given)];
  if (reader === null || words === null || reader.language !== words.language) return 0;
  if (wanted.toLowerCase() === given.toLowerCase()) return 7;
  if (reader.script !== words.script) return 1;
  if (reader.region === words.region) return 6;
  // Words for nobody in particular go before those for another region.
  const forAll = words.named ? 0 : 1;
  return (kinOf(reader) === kinOf(words) ? 4 : 2) + forAll;
}

interface Locale {
  language: string;
  /** The likeliest one where the tag names none: zh-TW is written in Hant. */
  script: string;
  region: string;
  /** The tag names its region or its script. */
  named: boolean;
}

function localeOf(tag: string): Locale | null {
  if (tag === "" || tag.toLowerCase() === "und") return null;
  try {
    const written = new Intl.Locale(tag);
    const { language, script = "", region = "" } = written.maximize();
    return { language, script, region, named: written.language !== written.baseName };
  } catch {
    return null;
  }
}

// As CLDR's parent locales: Angola reads Portugal's Portuguese, Mexico Latin America's Spanish, Australia Britain's English.
const APART: Record<string, string> = { pt: "BR", es: "ES", en: "US" };

function kinOf({ language, region }: Locale): string {
  return APART[language] === region ? region : "elsewhere";
}
