// The second factor of a person's account: codes of an app on their phone.

import { isDocument, list, number, text } from "./json.ts";
import { type Outcome, request } from "./request.ts";
import type * as Schema from "./schema.ts";

const PATH = "/api/v1/account/second-factor";

export interface SecondFactor {
  on: boolean;
  recoveryCodesLeft: number;
}

/** A second factor that is being set up. */
export interface NewSecondFactor {
  /** For an app that cannot scan. */
  secret: string;
  /** A QR code: its modules a side, and the path of the dark ones. */
  picture: { size: number; path: string };
}

export function showSecondFactor(): Promise<Outcome<SecondFactor>> {
  return request(PATH, { decode: decodeSecondFactor });
}

export function beginSecondFactor(currentPassword: string): Promise<Outcome<NewSecondFactor>> {
  const body: Schema.Confirmation = { current_password: currentPassword };
  return request(PATH, { method: "POST", body, decode: decodeNewSecondFactor });
}

/** Turns it on by a first code. Resolves to the recovery codes, which are shown this once. */
export function turnOnSecondFactor(code: string): Promise<Outcome<string[]>> {
  return request(PATH, {
    method: "PUT",
    body: { code } satisfies Schema.SecondFactorCode,
    decode: decodeRecoveryCodes,
  });
}

export function turnOffSecondFactor(currentPassword: string): Promise<Outcome<true>> {
  const body: Schema.Confirmation = { current_password: currentPassword };
  return request(PATH, { method: "DELETE", body, decode: () => true });
}

export function decodeSecondFactor(value: unknown): SecondFactor | null {
  if (!isDocument<Schema.SecondFactor>(value) || typeof value.on !== "boolean") return null;
  return { on: value.on, recoveryCodesLeft: number(value.recovery_codes_left) ?? 0 };
}

export function decodeNewSecondFactor(value: unknown): NewSecondFactor | null {
  if (!isDocument<Schema.SecondFactorSecret>(value) || !isDocument<Schema.QrCode>(value.qr))
    return null;
  const [secret, size, path] = [text(value.secret), number(value.qr.size), text(value.qr.path)];
  if (secret === null || size === null || path === null) return null;
  return { secret, picture: { size, path } };
}

export function decodeRecoveryCodes(value: unknown): string[] | null {
  if (!isDocument<Schema.RecoveryCodes>(value) || !Array.isArray(value.recovery_codes)) return null;
  return list(value.recovery_codes).filter((it) => typeof it === "string");
}
