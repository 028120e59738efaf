// The server's events, live. One connection per address however many listeners there are: browsers
// allow six per host over HTTP/1.1, and segments and uploads need theirs. For the same reason a
// hidden tab lets go of its connection and takes it up again when it is looked at.

import { decodeDeleted, decodeVideo, type Video } from "./document.ts";
import { videoPath } from "./videos.ts";

export interface Listener {
  onVideo?: (video: Video) => void;
  onDeleted?: (id: string) => void;
  /** Called on each (re)connection: whatever was fetched before may have missed events. */
  onOpen?: () => void;
}

export const LIBRARY_EVENTS = "/api/v1/events";

export function videoEvents(id: string): string {
  return `${videoPath(id)}/events`;
}

const REOPEN_MS = 3000;

const feeds = new Map<string, Feed>();

/** Subscribes to the events at `path` until the returned function is called. */
export function subscribe(path: string, listener: Listener): () => void {
  const feed = feeds.get(path) ?? new Feed(path);
  feeds.set(path, feed);
  feed.add(listener);
  return () => {
    feed.remove(listener);
    if (feed.isIdle()) feeds.delete(path);
  };
}

class Feed {
  readonly #path: string;
  readonly #listeners = new Set<Listener>();
  #source: EventSource | null = null;
  #reopen: number | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  add(listener: Listener) {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) {
      document.addEventListener("visibilitychange", this.#followVisibility);
      this.#followVisibility();
    } else if (this.#source?.readyState === EventSource.OPEN) {
      // A late listener has the same need to catch up as one that was there at the opening.
      listener.onOpen?.();
    }
  }

  remove(listener: Listener) {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    document.removeEventListener("visibilitychange", this.#followVisibility);
    this.#close();
  }

  isIdle(): boolean {
    return this.#listeners.size === 0;
  }

  readonly #followVisibility = () => {
    if (document.hidden) this.#close();
    else this.#open();
  };

  #open() {
    if (this.#source !== null) return;
    const source = new EventSource(this.#path);
    this.#source = source;
    source.addEventListener("open", () => this.#each((it) => it.onOpen?.()));
    source.addEventListener("video", (event) => {
      const video = decodeVideo(parse(event.data));
      if (video !== null) this.#each((it) => it.onVideo?.(video));
    });
    source.addEventListener("deleted", (event) => {
      const id = decodeDeleted(parse(event.data));
      if (id !== null) this.#each((it) => it.onDeleted?.(id));
    });
    source.addEventListener("error", () => {
      // The browser reconnects after a cut by itself, but gives up for good on an HTTP error, such
      // as a proxy's 502 while the server restarts.
      if (source.readyState !== EventSource.CLOSED) return;
      this.#close();
      this.#reopen = window.setTimeout(this.#followVisibility, REOPEN_MS);
    });
  }

  #close() {
    window.clearTimeout(this.#reopen);
    this.#source?.close();
    this.#source = null;
  }

  #each(notify: (listener: Listener) => void) {
    for (const listener of [...this.#listeners]) notify(listener);
  }
}

function parse(data: unknown): unknown {
  try {
    return JSON.parse(String(data));
  } catch {
    return null;
  }
}
