// The ticket in an address: the right to play one video for some time (server/src/ticket.rs).

const TICKET = /\/t\/([\w-]+)\/v\//;

/** Returns `url` with the ticket of `current` in place of its own; as it is where either has none. */
export function withTicketOf(url: string, current: string): string {
  const ticket = TICKET.exec(current)?.[0];
  return ticket === undefined ? url : url.replace(TICKET, ticket);
}

/** Returns the moment at which the ticket of an address ends, in ms since 1970; null where it has none. */
export function ticketEnd(url: string): number | null {
  const text = TICKET.exec(url)?.[1];
  if (text === undefined || text.length < 8) return null;
  // Base64url of the key's id in one byte and the end in five, in seconds, the highest byte first.
  const [, ...end] = atob(text.slice(0, 8).replaceAll("-", "+").replaceAll("_", "/"));
  return end.reduce((seconds, byte) => seconds * 256 + byte.charCodeAt(0), 0) * 1000;
}
