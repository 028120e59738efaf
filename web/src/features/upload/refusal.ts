// The reason of a failed upload, in words, and whether a retry can help.

import { DetailedError } from "tus-js-client";
import { decodeProblem, type Problem, sentence } from "../../api/request.ts";

export interface Refusal {
  message: string;
  /** The same file can go on from where it stopped. */
  retriable: boolean;
  /** The network or the server went away, and did not refuse the request: it goes on by itself when they are back. */
  offline: boolean;
  /** The session has ended: it may go on once the person has signed in. */
  signIn: boolean;
}

const AWAY = "The server does not answer. The upload goes on by itself once it does.";

export function refusal(error: Error): Refusal {
  const response = error instanceof DetailedError ? error.originalResponse : null;
  if (response === null) {
    return { message: AWAY, retriable: true, offline: true, signIn: false };
  }
  return refusalOf(decodeProblem(response.getStatus(), parse(response.getBody())));
}

/**
 * Returns whether a proxy refused the size of a request's body. The server's own 413 is a problem document, and means
 * the size of the file.
 */
export function isProxyLimit(error: Error): boolean {
  const response = error instanceof DetailedError ? error.originalResponse : null;
  if (response?.getStatus() !== 413) return false;
  return !(response.getHeader("content-type") ?? "").startsWith("application/problem+json");
}

/** Returns the refusal that an answer means. */
export function refusalOf(problem: Problem): Refusal {
  const { status } = problem;
  // By its status alone: the answer to a HEAD, by which an upload resumes, has no problem document.
  const signIn = status === 401;
  const message = signIn
    ? "Sign in to go on with this upload."
    : isAway(status)
      ? AWAY
      : sentence(problem);
  return { message, retriable: signIn || isPassing(status), offline: isAway(status), signIn };
}

/** Decides whether tus-js-client retries by itself. */
export function retriesByItself(status: number): boolean {
  // A full disk does not empty itself within seconds; the person decides when to go on.
  return status !== 507 && (status === 0 || isPassing(status));
}

// What a proxy answers in place of a server that restarts.
function isAway(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}

// 409 is a wrong offset and 423 an upload that another request still holds: both pass.
function isPassing(status: number): boolean {
  return status === 409 || status === 423 || status === 429 || status >= 500;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}
