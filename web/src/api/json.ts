// Fields of a JSON response, one by one: the value of the expected type, or its absence.

type Json = Record<string, unknown>;

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}

/** A document as it comes: the members that the API describes, of which none is trusted to be there. */
export type Received<T> = { readonly [Member in keyof T]?: unknown };

/** Returns whether the value may be a `T` of the API. */
export function isDocument<T>(value: unknown): value is Received<T> {
  return isObject(value);
}

export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** Returns a message of the server as a sentence of its own: it writes them in lower case, as parts of a log line. */
export function message(value: unknown): string | null {
  const words = text(value);
  return words === null ? null : words.charAt(0).toUpperCase() + words.slice(1);
}

export function number(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}
