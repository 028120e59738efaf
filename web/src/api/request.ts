// One request to the API and its outcome as a union: nothing here throws, so no screen can forget
// that a request may fail.

import { message } from "./json.ts";

/** A reason that a person can read, with the stable code that a program can compare. */
export interface Problem {
  status: number;
  code: string;
  title: string;
  detail: string;
}

export type Outcome<T> = { state: "ready"; value: T } | { state: "failed"; problem: Problem };

export type Loadable<T> = { state: "loading" } | Outcome<T>;

export interface Call<T> {
  method?: "GET" | "PATCH" | "POST" | "PUT" | "DELETE";
  body?: unknown;
  /** A file, which goes out as it is, instead of a body. */
  file?: Blob;
  signal?: AbortSignal;
  /** The entity tag of what the body is an edit of: the server refuses it where that has changed since. */
  ifMatch?: string;
  /** Turns the JSON of the answer into a value; null means that it is not what was promised. */
  decode: (json: unknown) => T | null;
}

let signInAgain: (() => Promise<boolean>) | null = null;

/** Has `renew` sign the person in when the server requires it; the request then goes out again. */
export function onSignInRequired(renew: (() => Promise<boolean>) | null) {
  signInAgain = renew;
}

export async function request<T>(path: string, call: Call<T>): Promise<Outcome<T>> {
  const outcome = await send(path, call);
  if (outcome.state === "ready" || outcome.problem.code !== SIGN_IN_REQUIRED) return outcome;
  // The caller waits meanwhile, so that a form whose session has ended keeps what was typed and then goes on.
  return (await signInAgain?.()) ? send(path, call) : outcome;
}

async function send<T>(path: string, call: Call<T>): Promise<Outcome<T>> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: call.method ?? "GET",
      headers: {
        accept: "application/json, application/problem+json",
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
        ...(call.ifMatch === undefined ? {} : { "if-match": call.ifMatch }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      ...(call.file === undefined ? {} : { body: call.file }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    });
  } catch {
    return failed(UNREACHABLE);
  }
  const json = await readJson(response);
  if (!response.ok) return failed(decodeProblem(response.status, json));
  const value = call.decode(json);
  if (value === null) return failed(UNREADABLE);
  return { state: "ready", value };
}

/** Returns the problem that an answer describes; proxies answer without one, so all is optional. */
export function decodeProblem(status: number, json: unknown): Problem {
  const body = typeof json === "object" && json !== null ? (json as Record<string, unknown>) : {};
  const title = typeof body.title === "string" ? body.title : titleOf(status);
  return {
    status,
    code: typeof body.code === "string" ? body.code : "unknown",
    title,
    detail: typeof body.detail === "string" ? body.detail : "",
  };
}

/** Returns the sentence to show: the detail where there is one, for it names the thing. */
export function sentence({ title, detail }: Problem): string {
  return message(detail === "" ? title : detail) ?? "";
}

const SIGN_IN_REQUIRED = "sign_in_required";

export const UNREACHABLE: Problem = {
  status: 0,
  code: "unreachable",
  title: "The server cannot be reached",
  detail: "The server does not answer. Check the connection, then try again.",
};

const UNREADABLE: Problem = {
  status: 0,
  code: "unreadable_answer",
  title: "The server's answer cannot be read",
  detail: "The server answered something else than expected. Is the page up to date? Reload it.",
};

function titleOf(status: number): string {
  if (status === 404) return "Not found";
  if (status === 413) return "Too large";
  if (status === 507) return "The server's disk is full";
  if (status >= 500) return "The server could not do this";
  return `The server refused this (${status})`;
}

function failed(problem: Problem): { state: "failed"; problem: Problem } {
  return { state: "failed", problem };
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    // 204 has no body, and a proxy's error page is HTML.
    return null;
  }
}
