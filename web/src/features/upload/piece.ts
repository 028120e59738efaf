// The sizes of the pieces that an upload goes out in. One request for all of it is the quickest, but proxies refuse
// bodies above a limit of theirs.

// Below the limits that are usual: 100 MB at CDNs, 10 MB at API gateways, nginx's client_max_body_size of 1 MiB.
const SIZES = [50_000_000, 8_000_000, 1_000_000, 250_000];

/** Reads the size in `Upload-Limit`, by which a server tells what the proxies in front of it let pass. */
export function pieceLimitBytes(uploadLimit: string | undefined): number | null {
  const size = /(?:^|[,\s])max-append-size=(\d+)/.exec(uploadLimit ?? "")?.[1];
  return Number(size) || null;
}

/** Returns the next smaller size; null when the smallest was refused too. */
export function nextPieceBytes(refused: number): number | null {
  return SIZES.find((it) => it < refused) ?? null;
}
