// The first bytes of a file, by which a document or a picture is known before gigabytes of it were sent. A file
// of unknown kind goes to the server, whose ffmpeg decides. The server has the same list (`origin/src/file_head.rs`).

// As much as one read of a disk gives; a text that is longer is known for a text by then.
export const HEAD_BYTES = 4096;

const SIGNATURES: readonly (readonly [kind: string, at: number, bytes: string])[] = [
  ["a PDF document", 0, "%PDF-"],
  ["a ZIP archive or an office document", 0, "PK\x03\x04"],
  ["a ZIP archive or an office document", 0, "PK\x05\x06"],
  ["an office document", 0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"],
  ["a RAR archive", 0, "Rar!"],
  ["a 7-Zip archive", 0, "7z\xbc\xaf\x27\x1c"],
  ["a gzip archive", 0, "\x1f\x8b"],
  ["a bzip2 archive", 0, "BZh"],
  ["an XZ archive", 0, "\xfd7zXZ\0"],
  ["a Zstandard archive", 0, "\x28\xb5\x2f\xfd"],
  ["a tar archive", 257, "ustar"],
  ["a program", 0, "\x7fELF"],
  ["a program", 0, "MZ"],
  ["a program", 0, "\xcf\xfa\xed\xfe"],
  ["a program", 0, "\xca\xfe\xba\xbe"],
  ["a program", 0, "\0asm"],
  ["a database", 0, "SQLite format 3\0"],
  ["a font", 0, "OTTO"],
  ["a font", 0, "wOF"],
  ["a picture", 0, "\x89PNG\r\n\x1a\n"],
  ["a picture", 0, "\xff\xd8\xff"],
  ["a picture", 0, "GIF8"],
  ["a picture", 0, "II*\0"],
  ["a picture", 0, "MM\0*"],
  ["a picture", 0, "8BPS"],
  ["a picture", 8, "WEBP"],
  // The reserved bytes of a bitmap's header; "BM" alone is too little to go by.
  ["a picture", 6, "\0\0\0\0\x36\0\0\0\x28\0\0\0"],
  ["a picture", 0, "\0\0\0\x0cJXL \r\n\x87\n"],
  // ISO/IEC 23008-12: brands of still pictures in the container that MP4 has too.
  ["a picture", 4, "ftypheic"],
  ["a picture", 4, "ftypmif1"],
  ["a picture", 4, "ftypavif"],
];

/** Returns the kind of a file that is neither a video nor a sound, in words; null when it may be one. */
export function foreignKind(head: Uint8Array): string | null {
  // One character a byte, so that signatures can be written as text.
  const text = String.fromCharCode(...head);
  const found = SIGNATURES.find(([, at, bytes]) => text.startsWith(bytes, at));
  if (found !== undefined) return found[0];
  return isText(head) ? "a text" : null;
}

// Every container that holds media has a NUL or another control character in its first bytes.
function isText(head: Uint8Array): boolean {
  return head.length > 0 && head.every((it) => it >= 0x20 || (it >= 0x09 && it <= 0x0d));
}
