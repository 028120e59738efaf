// The rate of an upload: the mean over the last seconds, which neither jumps with every packet nor
// remembers the speed of another network.

const WINDOW_MS = 5000;

interface Sample {
  at: number;
  bytes: number;
}

export class Rate {
  #samples: Sample[] = [];

  /** Takes the bytes sent so far at the time `at`, in milliseconds. */
  add(bytes: number, at: number) {
    const last = this.#samples.at(-1);
    // Bytes go back when an interrupted request is repeated from the stored offset.
    if (last !== undefined && bytes < last.bytes) this.#samples = [];
    this.#samples.push({ at, bytes });
    const start = at - WINDOW_MS;
    const firstInside = this.#samples.findIndex((it) => it.at >= start);
    // One sample from before the window anchors its beginning.
    this.#samples.splice(0, Math.max(0, firstInside - 1));
  }

  reset() {
    this.#samples = [];
  }

  /** Returns bytes per second; null until there is something to go by. */
  bytesPerSecond(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined) return null;
    const elapsed = last.at - first.at;
    if (elapsed < 500) return null;
    return ((last.bytes - first.bytes) * 1000) / elapsed;
  }
}
