// What pages have loaded, kept for as long as the tab lives: Back finds a list as long as it was left, and the browser the place
// in it. Each is one person's: what they saw is not for the next one.

import { personOf, session } from "./session.ts";

export class Kept<K, T> {
  #values = new Map<K, T>();
  #person = "";

  get(key: K): T | undefined {
    return this.#own().get(key);
  }

  set(key: K, value: T) {
    this.#own().set(key, value);
  }

  #own(): Map<K, T> {
    const person = personOf(session.snapshot().session)?.id ?? "";
    if (person !== this.#person) this.#values = new Map();
    this.#person = person;
    return this.#values;
  }
}
