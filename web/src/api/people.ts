// The accounts of all people, and invitations to make one: an administrator's calls.

import { fateOfVideos } from "./account.ts";
import { isDocument, list, number, text } from "./json.ts";
import { allPages } from "./pages.ts";
import { type Outcome, request } from "./request.ts";
import type * as Schema from "./schema.ts";
import { decodeUser, type User } from "./session.ts";

const USERS = "/api/v1/users";
const INVITATIONS = "/api/v1/invitations";

export interface Person extends User {
  created: string;
  disabled: boolean;
  /** Null: the limit of the site. */
  quotaBytes: number | null;
  quotaMinutes: number | null;
}

export interface Invitation {
  id: string;
  /** The only address that may use it; null: any. */
  email: string | null;
  created: string;
  expires: string;
}

/** An invitation as it is shown once, when it is made. */
export interface NewInvitation extends Invitation {
  /** A path of this server; null where it was sent by mail. */
  link: string | null;
}

export function listPeople(): Promise<Outcome<Person[]>> {
  return allPages(USERS, decodePeople);
}

export type PersonEdit = Schema.UserChanges;

export function editPerson(id: string, edit: PersonEdit): Promise<Outcome<Person>> {
  const path = `${USERS}/${encodeURIComponent(id)}`;
  return request(path, { method: "PATCH", body: edit, decode: decodePerson });
}

/** Deletes an account, and its videos or hands them to the account `heir`. */
export function removePerson(id: string, heir: string | null): Promise<Outcome<true>> {
  const body: Schema.UserRemoval = { videos: fateOfVideos(heir) };
  const path = `${USERS}/${encodeURIComponent(id)}`;
  return request(path, { method: "DELETE", body, decode: () => true });
}

export function listInvitations(): Promise<Outcome<Invitation[]>> {
  return allPages(INVITATIONS, decodeInvitations);
}

/** Makes a link by which one person may sign up; an empty address leaves it open to any. */
export function invite(email: string): Promise<Outcome<NewInvitation>> {
  const body: Schema.NewInvitation = email === "" ? {} : { email };
  return request(INVITATIONS, { method: "POST", body, decode: decodeNewInvitation });
}

export function withdrawInvitation(id: string): Promise<Outcome<true>> {
  const path = `${INVITATIONS}/${encodeURIComponent(id)}`;
  return request(path, { method: "DELETE", decode: () => true });
}

export function decodePeople(value: unknown): Person[] | null {
  if (!isDocument<Schema.UserList>(value) || !Array.isArray(value.users)) return null;
  return list(value.users)
    .map(decodePerson)
    .filter((it) => it !== null);
}

export function decodeInvitations(value: unknown): Invitation[] | null {
  if (!isDocument<Schema.InvitationList>(value) || !Array.isArray(value.invitations)) return null;
  return list(value.invitations)
    .map(decodeInvitation)
    .filter((it) => it !== null);
}

export function decodeNewInvitation(value: unknown): NewInvitation | null {
  const invitation = decodeInvitation(value);
  const link = isDocument<Schema.MadeInvitation>(value) ? text(value.link) : null;
  return invitation === null ? null : { ...invitation, link };
}

function decodePerson(value: unknown): Person | null {
  const user = decodeUser(value);
  if (user === null || !isDocument<Schema.Account>(value)) return null;
  return {
    ...user,
    created: text(value.created) ?? "",
    disabled: value.disabled === true,
    quotaBytes: number(value.quota_bytes),
    quotaMinutes: number(value.quota_minutes),
  };
}

function decodeInvitation(value: unknown): Invitation | null {
  if (!isDocument<Schema.Invitation>(value) || typeof value.id !== "string") return null;
  return {
    id: value.id,
    email: text(value.email),
    created: text(value.created) ?? "",
    expires: text(value.expires) ?? "",
  };
}
