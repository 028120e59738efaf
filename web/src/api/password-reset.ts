// A new password by mail, for somebody who has forgotten theirs.

import { type Outcome, request } from "./request.ts";
import type * as Schema from "./schema.ts";

const PATH = "/api/v1/password-resets";

/** Has a link sent, if the address has an account; the answer does not tell. */
export function askForReset(email: string): Promise<Outcome<true>> {
  const body: Schema.ForgottenPassword = { email };
  return request(PATH, { method: "POST", body, decode: () => true });
}

/** Sets the password by the key of a link. */
export function resetPassword(key: string, password: string): Promise<Outcome<true>> {
  const body: Schema.PasswordReset = { key, new_password: password };
  return request(PATH, { method: "PUT", body, decode: () => true });
}
