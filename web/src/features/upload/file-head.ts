// The first bytes of a file, by which a document or a picture is known before gigabytes of it were sent. A file
// of unknown kind goes to the server, whose ffmpeg decides. The server reads the same list of signatures
// (`origin/src/file_head.rs`).

import SIGNATURES from "./file-signatures.json";

// As much as one read of a disk gives; a text that is longer is known for a text by then.
export const HEAD_BYTES = 4096;

/** Returns the kind of a file that is neither a video nor a sound, in words; null when it may be one. */
export function foreignKind(head: Uint8Array): string | null {
  // One character a byte, as the signatures are written.
  const text = String.fromCharCode(...head);
  const found = SIGNATURES.find(({ at, bytes }) => text.startsWith(bytes, at));
  if (found !== undefined) return found.kind;
  return isText(head) ? "a text" : null;
}

// Every container that holds media has a NUL or another control character in its first bytes.
function isText(head: Uint8Array): boolean {
  return (head.length > 0 && head.every(isOfText)) || isUtf16(head);
}

function isOfText(unit: number): boolean {
  return unit >= 0x20 || (unit >= 0x09 && unit <= 0x0d);
}

// As Windows calls it "Unicode": a byte order mark, and then mostly Latin characters, whose upper byte is 0.
function isUtf16(head: Uint8Array): boolean {
  const upper = head[0] === 0xff && head[1] === 0xfe ? 1 : 0;
  if (upper === 0 && !(head[0] === 0xfe && head[1] === 0xff)) return false;
  let [units, latin] = [0, 0];
  for (let at = 2; at + 1 < head.length; at += 2) {
    const unit = ((head[at + upper] ?? 0) << 8) | (head[at + 1 - upper] ?? 0);
    if (!isOfText(unit)) return false;
    units += 1;
    if (unit < 0x100) latin += 1;
  }
  return units > 0 && latin * 2 > units;
}
