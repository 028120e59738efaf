// The viewer's preferences from one video to the next, kept on this device alone.

import type { TextPreference } from "./text-preference.ts";

export interface PlayerPreferences {
  volume: number;
  muted: boolean;
  rate: number;
  captions: TextPreference | null;
  /** The line's measured rate in bits per second; null until something was measured. */
  lineBps: number | null;
}

const KEY = "clipcut.player";

const DEFAULTS: PlayerPreferences = {
  volume: 1,
  muted: false,
  rate: 1,
  captions: null,
  lineBps: null,
};

export function readPreferences(): PlayerPreferences {
  try {
    return decodePreferences(localStorage.getItem(KEY));
  } catch {
    // Storage may be forbidden; the player works without stored preferences.
    return DEFAULTS;
  }
}

/** Keeps the given preferences; those that are left out stay as they are, also if another tab changed them. */
export function writePreferences(changes: Partial<PlayerPreferences>) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...readPreferences(), ...changes }));
  } catch {
    // As above.
  }
}

/** Returns the stored preferences, with the default in place of anything that makes no sense. */
export function decodePreferences(stored: string | null): PlayerPreferences {
  if (stored === null) return DEFAULTS;
  let value: unknown;
  try {
    value = JSON.parse(stored);
  } catch {
    return DEFAULTS;
  }
  if (typeof value !== "object" || value === null) return DEFAULTS;
  const { volume, muted, rate, captions, lineBps } = value as Record<string, unknown>;
  return {
    volume: within(volume, 0, 1) ? volume : DEFAULTS.volume,
    muted: muted === true,
    rate: within(rate, 0.25, 4) ? rate : DEFAULTS.rate,
    captions: decodeCaptions(captions),
    lineBps: within(lineBps, 1, 1e12) ? lineBps : DEFAULTS.lineBps,
  };
}

function decodeCaptions(value: unknown): TextPreference | null {
  if (typeof value !== "object" || value === null) return null;
  const { on, id, language } = value as Record<string, unknown>;
  if (typeof on !== "boolean") return null;
  return {
    on,
    id: typeof id === "string" ? id : null,
    language: typeof language === "string" ? language : null,
  };
}

function within(value: unknown, low: number, high: number): value is number {
  return typeof value === "number" && value >= low && value <= high;
}
