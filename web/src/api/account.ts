// A person's own account: its profile, its sessions and its tokens.

import { isDocument, list, number, text } from "./json.ts";
import { allPages } from "./pages.ts";
import { type Outcome, request } from "./request.ts";
import type * as Schema from "./schema.ts";
import { decodeUser, type User } from "./session.ts";

const ROOT = "/api/v1/account";

export interface OpenSession {
  id: string;
  created: string;
  lastSeen: string;
  userAgent: string;
  /** The session that this page is in. */
  current: boolean;
}

export type Scope = Schema.Scope;

export interface Token {
  id: string;
  name: string;
  scopes: Scope[];
  created: string;
  /** Null: it never ends by itself. */
  expires: string | null;
  lastUsed: string | null;
}

/** The quota of the person's videos and how much of it they take; null is any amount. */
export interface Storage {
  usage: { bytes: number; minutes: number };
  quota: { bytes: number | null; minutes: number | null };
}

/** A token as it is shown once, when it is made. */
export interface NewToken extends Token {
  secret: string;
}

export function showStorage(): Promise<Outcome<Storage>> {
  return request(ROOT, { decode: decodeStorage });
}

export function rename(name: string): Promise<Outcome<User>> {
  const body: Schema.AccountChanges = { name };
  return request(ROOT, { method: "PATCH", body, decode: decodeUser });
}

/** Changes the address. Where the site sends mail, the account that comes back has the one before until the new one is proved. */
export function changeEmail(email: string, currentPassword: string): Promise<Outcome<User>> {
  const body: Schema.AccountChanges = { email, current_password: currentPassword };
  return request(ROOT, { method: "PATCH", body, decode: decodeUser });
}

/** Gives an account the address that the link with this key was sent to. */
export function proveAddress(key: string): Promise<Outcome<true>> {
  const body: Schema.ProvedAddress = { key };
  return request(`${ROOT}/email`, { method: "PUT", body, decode: () => true });
}

/** Changes the password and ends all other sessions. */
export function changePassword(current: string, next: string): Promise<Outcome<true>> {
  const body: Schema.NewPassword = { current_password: current, new_password: next };
  return request(`${ROOT}/password`, { method: "PUT", body, decode: () => true });
}

/** Deletes the account, and its videos or hands them to the account `heir`. */
export function deleteAccount(
  currentPassword: string,
  heir: string | null,
): Promise<Outcome<true>> {
  const body: Schema.AccountDeletion = {
    current_password: currentPassword,
    videos: fateOfVideos(heir),
  };
  return request(ROOT, { method: "DELETE", body, decode: () => true });
}

/** Returns how a deletion names what becomes of the videos: the account that gets them, or none. */
export function fateOfVideos(heir: string | null): Schema.VideosOfAccount {
  return heir === null ? "delete" : { to: heir.trim() };
}

export function listSessions(): Promise<Outcome<OpenSession[]>> {
  return allPages(`${ROOT}/sessions`, decodeSessions);
}

export function endSession(id: string): Promise<Outcome<true>> {
  const path = `${ROOT}/sessions/${encodeURIComponent(id)}`;
  return request(path, { method: "DELETE", decode: () => true });
}

export function listTokens(): Promise<Outcome<Token[]>> {
  return allPages(`${ROOT}/tokens`, decodeTokens);
}

export interface TokenWish {
  name: string;
  scopes: Scope[];
  expires: string | null;
}

export function makeToken({ name, scopes, expires }: TokenWish): Promise<Outcome<NewToken>> {
  const body: Schema.NewToken = { name, scopes, ...(expires !== null && { expires }) };
  return request(`${ROOT}/tokens`, { method: "POST", body, decode: decodeNewToken });
}

export function deleteToken(id: string): Promise<Outcome<true>> {
  const path = `${ROOT}/tokens/${encodeURIComponent(id)}`;
  return request(path, { method: "DELETE", decode: () => true });
}

export function decodeSessions(value: unknown): OpenSession[] | null {
  if (!isDocument<Schema.SessionList>(value) || !Array.isArray(value.sessions)) return null;
  return list(value.sessions)
    .map(decodeOpenSession)
    .filter((it) => it !== null);
}

export function decodeTokens(value: unknown): Token[] | null {
  if (!isDocument<Schema.TokenList>(value) || !Array.isArray(value.tokens)) return null;
  return list(value.tokens)
    .map(decodeToken)
    .filter((it) => it !== null);
}

export function decodeNewToken(value: unknown): NewToken | null {
  const token = decodeToken(value);
  const secret = isDocument<Schema.Token>(value) ? text(value.token) : null;
  return token === null || secret === null ? null : { ...token, secret };
}

function decodeOpenSession(value: unknown): OpenSession | null {
  if (!isDocument<Schema.Session>(value) || typeof value.id !== "string") return null;
  return {
    id: value.id,
    created: text(value.created) ?? "",
    lastSeen: text(value.last_seen) ?? "",
    userAgent: text(value.user_agent) ?? "",
    current: value.current === true,
  };
}

function decodeToken(value: unknown): Token | null {
  if (!isDocument<Schema.Token>(value) || typeof value.id !== "string") return null;
  return {
    id: value.id,
    name: text(value.name) ?? "",
    scopes: list(value.scopes).filter(isScope),
    created: text(value.created) ?? "",
    expires: text(value.expires),
    lastUsed: text(value.last_used),
  };
}

function isScope(value: unknown): value is Scope {
  return value === "read" || value === "upload" || value === "manage";
}

export function decodeStorage(value: unknown): Storage | null {
  if (
    !isDocument<Schema.OwnAccount>(value) ||
    !isDocument<Schema.Usage>(value.usage) ||
    !isDocument<Schema.Quota>(value.quota)
  )
    return null;
  const { usage, quota } = value;
  return {
    usage: { bytes: number(usage.bytes) ?? 0, minutes: number(usage.minutes) ?? 0 },
    quota: { bytes: number(quota.bytes), minutes: number(quota.minutes) },
  };
}
