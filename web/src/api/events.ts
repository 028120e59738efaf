// The server's events, live. One connection per address however many listeners there are: browsers
// allow six per host over HTTP/1.1, and segments and uploads need theirs. For the same reason a
// hidden tab lets go of its connection and takes it up again when it is looked at.

import { decodeDeleted, decodeVideo, type Video } from "./document.ts";
import { sharedPath, videoPath } from "./videos.ts";

export interface Listener {
  onVideo?: (video: Video) => void;
  onDeleted?: (id: string) => void;
  /** Called on each (re)connection: whatever was fetched before may have missed events. */
  onOpen?: () => void;
  /** Called when the connection breaks or is refused; it is tried again without end. */
  onLost?: () => void;
}

export const LIBRARY_EVENTS = "/api/v1/events";

export function videoEvents(id: string): string {
  return sharedPath(`${videoPath(id)}/events`);
}

const REOPEN_MS = 3000;

// A proxy may end an event stream at any time, and the browser has a new one within a second or two.
const LOST_MS = 4000;

const feeds = new Map<string, Feed>();

const lostListeners = new Set<() => void>();

/** Returns whether the server has not answered for some seconds. */
export function isServerLost(): boolean {
  return [...feeds.values()].some((it) => it.isLost());
}

/** Subscribes to changes of `isServerLost`. */
export function subscribeServerLost(listener: () => void): () => void {
  lostListeners.add(listener);
  return () => lostListeners.delete(listener);
}

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
  #lost = false;
  #lostTimer: number | undefined;

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

  isLost(): boolean {
    return this.#lost;
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
    source.addEventListener("open", () => {
      this.#setLost(false);
      this.#each((it) => it.onOpen?.());
    });
    source.addEventListener("video", (event) => {
      const video = decodeVideo(parse(event.data));
      if (video !== null) this.#each((it) => it.onVideo?.(video));
    });
    source.addEventListener("deleted", (event) => {
      const id = decodeDeleted(parse(event.data));
      if (id !== null) this.#each((it) => it.onDeleted?.(id));
    });
    source.addEventListener("error", () => {
      this.#lostTimer ??= window.setTimeout(() => this.#setLost(true), LOST_MS);
      this.#each((it) => it.onLost?.());
      // The browser reconnects after a cut by itself, but gives up for good on an HTTP error, such
      // as a proxy's 502 while the server restarts.
      if (source.readyState !== EventSource.CLOSED) return;
      this.#release();
      this.#reopen = window.setTimeout(this.#followVisibility, REOPEN_MS);
    });
  }

  #close() {
    this.#setLost(false);
    this.#release();
  }

  #setLost(lost: boolean) {
    window.clearTimeout(this.#lostTimer);
    this.#lostTimer = undefined;
    if (this.#lost === lost) return;
    this.#lost = lost;
    for (const notify of lostListeners) notify();
  }

  #release() {
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
