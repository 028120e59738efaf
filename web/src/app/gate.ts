// The gate in front of every page: what a person sees there, by their session.

import { OF_ACCOUNTS, type Route } from "../shared/route.ts";
import { personOf, type SessionState } from "../shared/session.ts";

export type Gate =
  | "wait"
  | "first-account"
  | "sign-up"
  | "sign-up-closed"
  | "sign-in"
  /** In place of a page that strangers do not have. */
  | "sign-in-first"
  /** Signed in already: there is another page to go to. */
  | "done"
  | "forbidden"
  | "unknown"
  /** The server has not answered who this is. */
  | "unreachable"
  | "open";

export interface Signs {
  /** The address has the key of a link to sign up by. */
  hasKey: boolean;
  /** A request of this page waits for a sign-in. */
  wanted: boolean;
}

export function gateOf(route: Route, state: SessionState, { hasKey, wanted }: Signs): Gate {
  const { page } = route;
  if (page === "unknown") return "unknown";
  const ofAccounts = OF_ACCOUNTS.includes(page);
  // A page that needs no account does not wait for the session: without accounts nothing is later than before.
  if (state.state === "loading") return ofAccounts || hasKey ? "wait" : "open";
  if (state.state === "unknown") return ofAccounts || hasKey ? "unreachable" : "open";
  if (state.state === "off") return ofAccounts ? "unknown" : "open";
  // Also for somebody who is signed in, in the browser that opens the link of a mail.
  if (page === "forgotten" || page === "new-address") return "open";
  const user = personOf(state);
  if (user === null) {
    if (state.firstAccount) return "first-account";
    if (page === "sign-in") return "sign-in";
    if (page === "sign-up") return state.signUp === "open" ? "sign-up" : "sign-up-closed";
    if (page === "library" && hasKey) return "sign-up";
    return ofAccounts || wanted ? "sign-in-first" : "open";
  }
  if (page === "sign-in" || page === "sign-up") return "done";
  const ofAdministrators = page === "people" || page === "jobs";
  return ofAdministrators && user.role !== "administrator" ? "forbidden" : "open";
}
