// The link of a person's account to an OpenID provider.

import { isDocument, text } from "./json.ts";
import { type Outcome, request } from "./request.ts";
import type * as Schema from "./schema.ts";

const PATH = "/api/v1/account/identity";

export function showIdentity(): Promise<Outcome<{ linked: boolean }>> {
  return request(PATH, { decode: decodeIdentity });
}

/** Begins to link it. Resolves to the provider's address, which the browser goes on to. */
export function beginLink(currentPassword: string): Promise<Outcome<string>> {
  const body: Schema.Confirmation = { current_password: currentPassword };
  const decode = (value: unknown) =>
    isDocument<Schema.IdentityLink>(value) ? text(value.url) : null;
  return request(PATH, { method: "POST", body, decode });
}

export function unlinkIdentity(currentPassword: string): Promise<Outcome<true>> {
  const body: Schema.Confirmation = { current_password: currentPassword };
  return request(PATH, { method: "DELETE", body, decode: () => true });
}

/** Returns the address of a sign-in by the provider, which comes back to `next`. */
export function providerPath(next: string): string {
  return `/api/v1/oidc/sign-in?${new URLSearchParams({ next })}`;
}

function decodeIdentity(value: unknown): { linked: boolean } | null {
  return isDocument<Schema.LinkedIdentity>(value) ? { linked: value.linked === true } : null;
}
