// A packaged folder, read through its playlists by a parser that is not ours, in its strict mode.

import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import HLS from "hls-parser";
import { fragments, timescale } from "./boxes.mjs";

HLS.setOptions({ strictMode: true });

/** Resolves to the paths of all playlists below the folder. */
export async function playlists(folder) {
  const files = await readdir(folder, { recursive: true });
  return files.filter((it) => it.endsWith(".m3u8")).sort();
}

/** Resolves to the parsed playlist; throws where it is not as RFC 8216 has it. */
export async function parse(folder, path) {
  const text = await readFile(join(folder, path), "utf8");
  // The parser's strict mode throws on what is wrong, and logs to the console what is doubtful.
  return HLS.parse(text);
}

/** Resolves to a media playlist with its segments' bytes: `{ path, targetSeconds, segments }`. */
export async function readMedia(folder, path) {
  const playlist = await parse(folder, path);
  const at = join(folder, dirname(path));
  const segments = [];
  let init = null;
  for (const { uri, duration, byterange, map } of playlist.segments) {
    init ??= map ? await readFile(join(at, map.uri)) : null;
    const whole = await readFile(join(at, uri));
    const bytes = byterange
      ? whole.subarray(byterange.offset, byterange.offset + byterange.length)
      : whole;
    segments.push({ uri, seconds: duration, bytes: bytes.length, data: bytes });
  }
  return { path, targetSeconds: playlist.targetDuration, init, segments };
}

/** Adds to each segment of fragmented MP4 the facts of its boxes: when it starts and what is in it. */
export function withTimes(media) {
  const ticksPerSecond = timescale(media.init);
  const segments = media.segments.map((it) => {
    const parts = fragments(it.data);
    const ticks = parts.reduce((all, part) => all + part.ticks, 0);
    return {
      ...it,
      parts,
      start: parts[0].time / ticksPerSecond,
      lasts: ticks / ticksPerSecond,
      samples: parts.reduce((all, part) => all + part.samples, 0),
    };
  });
  return { ...media, segments };
}
