// Keyboard movement through a menu, after the ARIA menu pattern.

/** Returns the entry that the key moves to; null for any other key. */
export function destination(key: string, at: number, count: number): number | null {
  switch (key) {
    case "ArrowDown":
      return (at + 1) % count;
    case "ArrowUp":
      return at <= 0 ? count - 1 : at - 1;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}
