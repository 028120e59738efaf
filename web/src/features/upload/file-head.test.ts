import { describe, expect, test } from "vitest";
import { foreignKind } from "./file-head.ts";

const head = (text: string) => Uint8Array.from(text, (it) => it.charCodeAt(0));

describe("a file's first bytes give away", () => {
  test.each([
    ["a PDF", "%PDF-1.7\n", "a PDF document"],
    ["a spreadsheet", "PK\x03\x04\x14\0", "a ZIP archive or an office document"],
    ["a photo", "\xff\xd8\xff\xe0\0\x10JFIF", "a picture"],
    ["a photo of a phone", "\0\0\0\x18ftypheic\0\0\0\0", "a picture"],
    ["a WebP picture", "RIFF\x10\0\0\0WEBPVP8 ", "a picture"],
    ["a playlist", "#EXTM3U\n/etc/passwd\n", "a text"],
    ["a BMP with an alpha channel", "BM\x8a\0\x01\0\0\0\0\0\x8a\0\0\0|\0\0\0", "a picture"],
    ["a Debian package", "!<arch>\ndebian-binary", "a package"],
    ["a note of Windows", "\xff\xfeH\0e\0l\0l\0o\0\r\0\n\0", "a text"],
    ["a note in the other order", "\xfe\xff\0H\0e\0l\0l\0o", "a text"],
    ["a page", "<!doctype html>\r\n<title>\xe9</title>", "a text"],
  ])("%s", (_, bytes, kind) => expect(foreignKind(head(bytes))).toBe(kind));
});

describe("what may be media is left to the server", () => {
  test.each([
    ["MP4", "\0\0\0\x20ftypisom\0\0\x02\0"],
    ["Matroska", "\x1aE\xdf\xa3\x01\0\0\0"],
    ["WAV", "RIFF\x10\0\0\0WAVEfmt "],
    ["AVI", "RIFF\x10\0\0\0AVI LIST"],
    ["MP3 with a tag", "ID3\x04\0\0\0\0\0\x23TIT2"],
    ["an MPEG-TS packet", "G@\0\x10\0\0\xb0\r"],
    ["Ogg", "OggS\0\x02\0\0"],
    ["FLV", "FLV\x01\x05\0\0\0\t"],
    ["MPEG audio that begins as UTF-16 does", "\xff\xfe\x90\x64\x12\xab\0\x01\x9c\x33"],
    ["nothing", ""],
  ])("%s", (_, bytes) => expect(foreignKind(head(bytes))).toBeNull());
});
