// Reads a presentation as ffmpeg does, and counts what comes out of the decoders.

import { run } from "./command.mjs";

/**
 * Decodes the streams of `url` that `maps` name, in ffmpeg's words; resolves to `{ code, complaints, pictures, sounds }`: for each stream
 * the times of its frames in frames, or the seconds that it sounds.
 */
export async function decode(url, maps) {
  const { code, stdout, stderr } = await run("ffmpeg", [
    ...["-nostdin", "-v", "warning", "-i", url],
    ...maps.flatMap((it) => ["-map", it]),
    ...["-fps_mode", "passthrough", "-f", "framecrc", "-"],
  ]);
  const streams = new Map();
  for (const line of stdout.split("\n")) {
    const base = /^#tb (\d+): (\d+)\/(\d+)/.exec(line);
    if (base) streams.set(base[1], { tick: base[2] / base[3], times: [], seconds: 0 });
    const media = /^#media_type (\d+): (\w+)/.exec(line);
    if (media) streams.get(media[1]).type = media[2];
    const [stream, , time, duration] = line.split(",").map((it) => it.trim());
    if (time === undefined || !streams.has(stream)) continue;
    const one = streams.get(stream);
    one.times.push(Number(time));
    one.seconds += Number(duration) * one.tick;
  }
  const of = (type) => [...streams.values()].filter((it) => it.type === type);
  return {
    code,
    complaints: stderr.split("\n").filter((it) => it !== ""),
    pictures: of("video").map((it) => it.times),
    sounds: of("audio").map((it) => it.seconds),
  };
}
