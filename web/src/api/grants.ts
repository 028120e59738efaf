// The people with accounts who may watch a private video of another's.

import { isDocument, list, text } from "./json.ts";
import { allPages } from "./pages.ts";
import { type Outcome, request } from "./request.ts";
import type * as Schema from "./schema.ts";
import { videoPath } from "./videos.ts";

export interface Grant {
  id: string;
  /** The address by which they were chosen; else their account. */
  email: string | null;
  user: { id: string; name: string } | null;
  created: string;
}

export function listGrants(video: string): Promise<Outcome<Grant[]>> {
  return allPages(peoplePath(video), decodeGrants);
}

/** Shares the video with an account, by its address or its id. */
export function addGrant(video: string, person: string): Promise<Outcome<Grant>> {
  const body: Schema.NewPerson = person.includes("@") ? { email: person } : { user: person };
  return request(peoplePath(video), { method: "POST", body, decode: decodeGrant });
}

export function endGrant(video: string, grant: string): Promise<Outcome<true>> {
  const path = `${peoplePath(video)}/${encodeURIComponent(grant)}`;
  return request(path, { method: "DELETE", decode: () => true });
}

export function decodeGrants(value: unknown): Grant[] | null {
  if (!isDocument<Schema.PersonList>(value) || !Array.isArray(value.people)) return null;
  return list(value.people)
    .map(decodeGrant)
    .filter((it) => it !== null);
}

function decodeGrant(value: unknown): Grant | null {
  if (!isDocument<Schema.Person>(value) || typeof value.id !== "string") return null;
  const email = text(value.email);
  const user = decodeUser(value.user);
  // An entry that names nobody would look like any other.
  if (email === null && user === null) return null;
  return { id: value.id, email, user, created: text(value.created) ?? "" };
}

function decodeUser(value: unknown): Grant["user"] {
  if (!isDocument<Schema.NamedUser>(value) || typeof value.id !== "string") return null;
  return { id: value.id, name: text(value.name) ?? "" };
}

function peoplePath(video: string): string {
  return `${videoPath(video)}/people`;
}
