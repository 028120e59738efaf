// The viewer's preferences from one video to the next, kept on this device alone.

export interface PlayerPreferences {
  volume: number;
  muted: boolean;
  rate: number;
}

const KEY = "clipcut.player";

const DEFAULTS: PlayerPreferences = { volume: 1, muted: false, rate: 1 };

export function readPreferences(): PlayerPreferences {
  try {
    return decodePreferences(localStorage.getItem(KEY));
  } catch {
    // Storage may be forbidden; the player works without stored preferences.
    return DEFAULTS;
  }
}

export function writePreferences(preferences: PlayerPreferences) {
  try {
    localStorage.setItem(KEY, JSON.stringify(preferences));
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
  const { volume, muted, rate } = value as Record<string, unknown>;
  return {
    volume: within(volume, 0, 1) ? volume : DEFAULTS.volume,
    muted: muted === true,
    rate: within(rate, 0.25, 4) ? rate : DEFAULTS.rate,
  };
}

function within(value: unknown, low: number, high: number): value is number {
  return typeof value === "number" && value >= low && value <= high;
}
