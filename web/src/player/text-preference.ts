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
  const named = choices.find((it) => it.id === last?.id && it.language === last.language);
  if (named !== undefined) return named;
  const wanted = [last?.language ?? "", ...browser, own ?? ""];
  for (const tag of wanted) {
    const found = ofLanguage(choices, tag);
    if (found !== null) return found;
  }
  return choices[0] ?? null;
}

// RFC 4647 §3.4 "lookup", in both directions: en-GB takes en, and en takes en-GB rather than another language.
function ofLanguage(choices: readonly TextChoice[], tag: string): TextChoice | null {
  const wanted = tag.toLowerCase();
  if (wanted === "" || wanted === "und") return null;
  const exact = choices.find((it) => it.language.toLowerCase() === wanted);
  return exact ?? choices.find((it) => primary(it.language) === primary(wanted)) ?? null;
}

function primary(tag: string): string {
  return tag.toLowerCase().split("-")[0] ?? "";
}
