// Signing in, up and out, and the document of the session: the person, and whether there are accounts at all.

import { isDocument, text } from "./json.ts";
import { type Outcome, request } from "./request.ts";
import type * as Schema from "./schema.ts";

const PATH = "/api/v1/session";

export type Role = Schema.Role;

export type SignUp = Schema.SignUpSetting;

export interface User {
  id: string;
  name: string;
  email: string;
  role: Role;
}

export interface Session {
  accounts: "on" | "off";
  /** Nobody has an account yet: the first one is the administrator's. */
  firstAccount: boolean;
  signUp: SignUp;
  /** A forgotten password has a link sent by mail. */
  mail: boolean;
  /** There is an OpenID provider to sign in by. */
  openid: boolean;
  user: User | null;
}

export interface Credentials {
  email: string;
  password: string;
}

/** The credentials of a sign-in; the code is that of a second factor, where the account has one. */
export interface Evidence extends Credentials {
  code?: string | null;
}

export interface NewAccount extends Credentials {
  name: string;
  /** The key of an invitation, or of the first account's link. */
  key: string | null;
}

export function showSession(): Promise<Outcome<Session>> {
  return request(PATH, { decode: decodeSession });
}

export function signIn({ code, ...credentials }: Evidence): Promise<Outcome<User>> {
  const body: Schema.Credentials = { ...credentials, ...(typeof code === "string" && { code }) };
  return request(PATH, { method: "POST", body, decode: decodeSignedIn });
}

export function signOut(): Promise<Outcome<true>> {
  return request(PATH, { method: "DELETE", decode: () => true });
}

/** Has a link sent that makes an account, or a mail that says that the address has one; the answer does not tell which. */
export function askToSignUp(email: string): Promise<Outcome<true>> {
  const body: Schema.NewSignUp = { email };
  return request("/api/v1/sign-ups", { method: "POST", body, decode: () => true });
}

/** Makes an account, which is then signed in. */
export function signUp({ key, ...account }: NewAccount): Promise<Outcome<User>> {
  const body: Schema.NewAccount = { ...account, ...(key !== null && { key }) };
  return request("/api/v1/users", { method: "POST", body, decode: decodeSignedIn });
}

/** Returns the session, or null when the value is not a document of one. */
export function decodeSession(value: unknown): Session | null {
  if (
    !isDocument<Schema.CurrentSession>(value) ||
    (value.accounts !== "on" && value.accounts !== "off")
  )
    return null;
  const signUp = value.sign_up;
  return {
    accounts: value.accounts,
    firstAccount: value.first_account === true,
    signUp: signUp === "open" || signUp === "invitation" ? signUp : "closed",
    mail: value.mail === true,
    openid: value.openid === true,
    user: decodeUser(value.user),
  };
}

/** Returns the person, or null when the value is not a document of one. */
export function decodeUser(value: unknown): User | null {
  if (!isDocument<Schema.User>(value) || typeof value.id !== "string") return null;
  return {
    id: value.id,
    name: text(value.name) ?? "",
    email: text(value.email) ?? "",
    role: value.role === "administrator" ? "administrator" : "user",
  };
}

function decodeSignedIn(value: unknown): User | null {
  return isDocument<Schema.SignedIn>(value) ? decodeUser(value.user) : null;
}
