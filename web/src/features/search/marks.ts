// The parts of a text that a search has found, to be marked. What the server takes for equal is equal here: case and
// accents do not count.

export interface Part {
  /** Where it starts, in UTF-16 units. */
  at: number;
  text: string;
  marked: boolean;
}

/** Returns the text in parts, marked where one of the words begins a word, or stands anywhere in a script without blanks. */
export function parts(text: string, words: string): Part[] {
  const wanted = words
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .map((it) => fold(it))
    .filter((it) => it !== "");
  if (wanted.length === 0) return [{ at: 0, text, marked: false }];
  const found: Part[] = [];
  let end = 0;
  const push = (from: number, to: number, marked: boolean) => {
    if (to > from) found.push({ at: from, text: text.slice(from, to), marked });
    end = to;
  };
  for (const match of text.matchAll(WORD)) {
    const range = rangeIn(match[0], wanted);
    if (range === null) continue;
    push(end, match.index + range.from, false);
    push(match.index + range.from, match.index + range.to, true);
  }
  push(end, text.length, false);
  return found;
}

const WORD = /[\p{L}\p{M}\p{N}]+/gu;
const UNSPACED =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;

function rangeIn(word: string, wanted: string[]): { from: number; to: number } | null {
  const folded = fold(word);
  for (const it of wanted) {
    if (UNSPACED.test(it)) {
      const from = word.indexOf(it);
      if (from >= 0) return { from, to: from + it.length };
    } else if (folded === it || (it.length > 1 && folded.startsWith(it))) {
      return { from: 0, to: word.length };
    }
  }
  return null;
}

function fold(word: string): string {
  const bare = word.normalize("NFKD").replace(/[\u0300-\u036f]/g, "");
  return bare.normalize("NFC").toLowerCase().replaceAll("ß", "ss").replaceAll("ı", "i");
}
