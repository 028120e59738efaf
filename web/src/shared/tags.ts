// Tags as people type them, several in one line, and as they are compared.

/** Reads the tags of a line: commas part them. */
export function readTags(line: string): string[] {
  return line
    .split(",")
    .map((it) => it.trim())
    .filter((it) => it !== "");
}

export function writeTags(tags: string[]): string {
  return tags.join(", ");
}

/** Returns whether one of `tags` is `tag`, whatever their case and form. */
export function hasTag(tags: string[], tag: string): boolean {
  return tags.some((it) => keyOf(it) === keyOf(tag));
}

function keyOf(tag: string): string {
  return tag.trim().normalize("NFKC").toLowerCase().normalize("NFC");
}
