// The player's keyboard map: from a key to a command, without running it.

export type Command =
  | { do: "toggle" | "mute" | "fullscreen" | "captions" | "help" }
  | { do: "seek-by"; seconds: number }
  | { do: "seek-to"; fraction: number }
  | { do: "volume-by"; step: number }
  | { do: "rate-by"; step: 1 | -1 };

export interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** The help's table, in the order in which it is shown. */
export const HELP: readonly (readonly [keys: string, meaning: string])[] = [
  ["Space or K", "Play or pause"],
  ["J and L", "Back and forward 10 seconds"],
  ["← and →", "Back and forward 5 seconds"],
  ["↑ and ↓", "Louder and quieter"],
  ["0 to 9", "Go to 0 % … 90 %"],
  ["< and >", "Slower and faster"],
  ["M", "Mute"],
  ["C", "Captions"],
  ["F", "Full screen"],
  ["?", "This help"],
];

/** Returns what the key asks for; null leaves it to the browser. */
export function command({ key, ctrlKey, metaKey, altKey }: Press): Command | null {
  if (ctrlKey || metaKey || altKey) return null;
  if (/^[0-9]$/.test(key)) return { do: "seek-to", fraction: Number(key) / 10 };
  switch (key.toLowerCase()) {
    case " ":
    case "k":
      return { do: "toggle" };
    case "j":
      return { do: "seek-by", seconds: -10 };
    case "l":
      return { do: "seek-by", seconds: 10 };
    case "arrowleft":
      return { do: "seek-by", seconds: -5 };
    case "arrowright":
      return { do: "seek-by", seconds: 5 };
    case "arrowup":
      return { do: "volume-by", step: 0.05 };
    case "arrowdown":
      return { do: "volume-by", step: -0.05 };
    case "m":
      return { do: "mute" };
    case "f":
      return { do: "fullscreen" };
    case "c":
      return { do: "captions" };
    case "<":
      return { do: "rate-by", step: -1 };
    case ">":
      return { do: "rate-by", step: 1 };
    case "?":
      return { do: "help" };
    default:
      return null;
  }
}

export const RATES: readonly number[] = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

/** Returns the next slower or faster of the offered rates. */
export function nextRate(rate: number, step: 1 | -1): number {
  const beyond = step > 0 ? RATES.find((it) => it > rate) : RATES.findLast((it) => it < rate);
  return beyond ?? rate;
}

/** Returns whether the focused element handles the key itself. */
export function belongsTo(target: EventTarget | null, key: string): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest("dialog, [role=menu]") !== null) return true;
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  if (target instanceof HTMLInputElement) return target.type !== "range" || isArrow(key);
  const presses = key === " " || key === "Enter";
  return presses && target.closest("button, a, summary") !== null;
}

function isArrow(key: string): boolean {
  return key.startsWith("Arrow");
}
