// Waiting for a server that went away: asks for an address of it again and again until it answers.

// Long enough to spare a server that starts, short enough that a waiting viewer does not press Retry.
const FIRST_DELAY_MS = 1000;
const MOST_DELAY_MS = 10_000;

export class Reconnect {
  #timer: number | undefined;
  #request: AbortController | null = null;

  /** Calls `onBack` once, as soon as `url` is answered without a server error. A later start replaces this one. */
  start(url: string, onBack: () => void) {
    this.stop();
    const request = new AbortController();
    this.#request = request;
    const wait = (delay: number) => {
      this.#timer = window.setTimeout(async () => {
        const back = await answers(url, request.signal);
        if (request.signal.aborted) return;
        if (!back) return wait(Math.min(delay * 2, MOST_DELAY_MS));
        this.stop();
        onBack();
      }, delay);
    };
    wait(FIRST_DELAY_MS);
  }

  stop() {
    window.clearTimeout(this.#timer);
    this.#request?.abort();
    this.#request = null;
  }
}

async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    // Past the browser's cache, which would answer for a server that is gone. A 404 is an answer too: a video that is
    // loaded again then shows that it was deleted.
    const { status } = await fetch(url, { method: "HEAD", cache: "no-store", signal });
    return status < 500;
  } catch {
    return false;
  }
}
