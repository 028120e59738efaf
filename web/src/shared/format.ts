// Times, sizes and rates as people read them.

/** Returns `1:02:03` or `2:03`; a time that is not known yet reads as 0:00. */
export function clock(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const h = Math.floor(whole / 3600);
  const m = Math.floor((whole % 3600) / 60);
  const s = String(whole % 60).padStart(2, "0");
  return h > 0 ? `${h}:${String(m).padStart(2, "0")}:${s}` : `${m}:${s}`;
}

/** Returns a time in words, for screen readers: `1 hour 2 minutes 3 seconds`. */
export function spokenTime(seconds: number): string {
  const whole = Number.isFinite(seconds) ? Math.max(0, Math.floor(seconds)) : 0;
  const parts = [
    counted(Math.floor(whole / 3600), "hour"),
    counted(Math.floor((whole % 3600) / 60), "minute"),
    counted(whole % 60, "second"),
  ].filter((it) => it !== "");
  return parts.length === 0 ? "0 seconds" : parts.join(" ");
}

/** Returns `about 3 minutes left`, coarse on purpose: the estimate is no better than that. */
export function remaining(seconds: number): string {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 10) return "a few seconds left";
  if (seconds < 60) return `${Math.ceil(seconds / 10) * 10} seconds left`;
  if (seconds < 3600) return `${counted(Math.ceil(seconds / 60), "minute")} left`;
  return `${counted(Math.ceil(seconds / 3600), "hour")} left`;
}

/** Returns `1 view`, or how many there are; nothing for none. */
export function viewCount(views: number): string {
  if (views === 0) return "";
  return views === 1 ? "1 view" : `${views.toLocaleString("en")} views`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Returns a size in decimal units, as file managers show it: `1.5 MB`. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

export function speed(bytesPerSecond: number): string {
  return `${bytes(bytesPerSecond)}/s`;
}

export function percent(fraction: number): string {
  // Floored, so that 100 % means complete.
  return `${Math.floor(clamp(fraction, 0, 1) * 100)} %`;
}

const AGES: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/** Returns `3 hours ago` for an RFC 3339 time; empty when it cannot be read. */
export function age(time: string, now: number): string {
  const seconds = (now - Date.parse(time)) / 1000;
  if (!Number.isFinite(seconds)) return "";
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, length] of AGES) {
    if (seconds >= length) return words.format(-Math.floor(seconds / length), unit);
  }
  return "just now";
}

/** Returns `in 3 days` for a time that is still to come, and `now` from then on; empty when it cannot be read. */
export function until(time: string, now: number): string {
  const seconds = (Date.parse(time) - now) / 1000;
  if (!Number.isFinite(seconds)) return "";
  const words = new Intl.RelativeTimeFormat("en", { numeric: "always" });
  for (const [unit, length] of AGES) {
    if (seconds >= length) return words.format(Math.round(seconds / length), unit);
  }
  return seconds > 0 ? "in less than a minute" : "now";
}

/** Returns the time, RFC 3339, that is so many days after `now`. */
export function daysFrom(now: number, days: number): string {
  return new Date(now + days * 86_400_000).toISOString();
}

export function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

function counted(count: number, noun: string): string {
  if (count === 0) return "";
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
