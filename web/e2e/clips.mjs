// The sources: small ones that ffmpeg makes, and those of the folder that CLIPCUT_TEST_MEDIA names.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { succeed } from "./command.mjs";
import { numbered } from "./frame-number.mjs";

// Several test files need the same clips; they are made once and lie where npm ci sweeps.
const CACHE = fileURLToPath(new URL("../node_modules/.cache/clipcut-e2e/", import.meta.url));

const MOVING = (size, rate) => [
  "-f",
  "lavfi",
  "-i",
  numbered(`testsrc2=size=${size}:rate=${rate}`),
];
const TONE = (hertz, more = "") => [
  "-f",
  "lavfi",
  "-i",
  `sine=frequency=${hertz}:beep_factor=4:sample_rate=48000${more}`,
];
const STEREO = ",aformat=channel_layouts=stereo";
const H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];

const WORDS = "words.srt";
const FORCED = "forced.srt";
const SUBTITLES = {
  [WORDS]: `1
00:00:00,500 --> 00:00:03,000
First words

2
00:00:04,000 --> 00:00:07,500
Last words
`,
  [FORCED]: `1
00:00:00,000 --> 00:00:09,000
Foreign words
`,
};

const MADE = [
  {
    name: "stereo-1080p25.mp4",
    seconds: 8,
    args: [...MOVING("1920x1080", "25"), ...TONE(440, STEREO), ...H264],
  },
  {
    name: "surround-720p25.mp4",
    seconds: 5.28,
    args: [
      ...MOVING("1280x720", "25"),
      ...TONE(330, ",pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0"),
      ...H264,
    ],
  },
  {
    // Written as a live stream, which knows neither its length nor its frames.
    name: "no-duration-270p30.webm",
    seconds: 14,
    args: [
      ...MOVING("480x270", "30"),
      ...TONE(550, `,aresample=44100${STEREO}`),
      ...["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M"],
      ...["-c:a", "libvorbis", "-live", "1"],
    ],
  },
  {
    name: "mono-360p30.mp4",
    seconds: 10,
    args: [...MOVING("640x360", "30"), ...TONE(660), ...H264],
  },
  {
    name: "sound-alone.flac",
    seconds: 11,
    args: TONE(220, `,aresample=44100${STEREO}`),
  },
  {
    name: "two-languages-360p24.mkv",
    seconds: 13,
    args: [
      ...MOVING("640x360", "24000/1001"),
      ...TONE(440),
      ...TONE(880),
      ...["-i", WORDS, "-map", "0", "-map", "1", "-map", "2", "-map", "3"],
      ...["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=deu"],
      ...["-metadata:s:s:0", "language=eng", "-c:s", "srt", "-c:a", "aac", ...H264],
    ],
  },
];

/** Clips that a few tests ask for by name; they do not go the whole way. */
const EXTRA = [
  {
    // Longer than a player may read ahead.
    name: "long-360p25.mp4",
    seconds: 90,
    args: [...MOVING("640x360", "25"), ...TONE(440), ...H264],
  },
  {
    // Longer than a player may read ahead, with a rendition above the one that players begin on.
    name: "long-720p25.mp4",
    seconds: 48,
    args: [...MOVING("1280x720", "25"), ...TONE(440), ...H264],
  },
  {
    // An English film with a foreigner in it: what is said in another language is a track of its own.
    name: "forced-360p25.mkv",
    seconds: 10,
    args: [
      ...MOVING("640x360", "25"),
      ...TONE(440),
      ...["-i", FORCED, "-i", WORDS, "-map", "0", "-map", "1", "-map", "2", "-map", "3"],
      ...["-metadata:s:a:0", "language=eng", "-c:s", "srt", "-c:a", "aac", ...H264],
      ...["-metadata:s:s:0", "language=eng", "-disposition:s:0", "forced"],
      ...["-metadata:s:s:1", "language=eng", "-disposition:s:1", "0"],
    ],
  },
  {
    // Two sounds in a format that is not read, with nothing to tell them apart.
    name: "unread-sounds-180p25.mkv",
    seconds: 2,
    args: [
      ...MOVING("320x180", "25"),
      ...TONE(440),
      ...["-map", "0", "-map", "1", "-map", "1", "-map", "1", ...H264],
      ...["-c:a:0", "aac", "-c:a:1", "tta", "-c:a:2", "tta"],
    ],
  },
];

const MEDIA = /\.(mp4|mov|m4v|mkv|webm|ts|avi|flv|ogg|mp3|m4a|flac|wav)$/i;

/**
 * Resolves to every clip: `{ name, path, numbered, seconds, picture, sounds, texts }`, where
 * `picture` is `{ width, height, fps, frames }` or null, and `sounds` and `texts` are counts.
 */
export async function clips() {
  const all = [];
  for (const source of MADE) all.push(await made(source));
  const folder = process.env.CLIPCUT_TEST_MEDIA;
  if (folder === undefined) return all;
  for (const name of (await readdir(folder)).filter((it) => MEDIA.test(it)).sort()) {
    const path = join(folder, name);
    all.push({ name, path, numbered: false, ...(await facts(path)) });
  }
  return all;
}

/** Resolves to the one clip of that name. */
export function clip(name) {
  return made([...MADE, ...EXTRA].find((it) => it.name === name));
}

async function made(source) {
  const path = await make(source);
  return { name: source.name, path, numbered: true, ...(await facts(path)) };
}

async function make({ args, seconds, name }) {
  const key = createHash("sha256")
    .update(JSON.stringify([args, seconds]))
    .digest("hex");
  const folder = join(CACHE, key.slice(0, 12));
  if (existsSync(folder)) return join(folder, name);
  await mkdir(CACHE, { recursive: true });
  const unfinished = await mkdtemp(`${folder}-`);
  // In a folder of its own, for another file's tests may be making the same clip.
  for (const [file, words] of Object.entries(SUBTITLES)) {
    await writeFile(join(unfinished, file), words);
  }
  const output = ["-t", String(seconds), name];
  await succeed("ffmpeg", ["-v", "error", ...args, ...output], { cwd: unfinished });
  await rename(unfinished, folder).catch(async (error) => {
    // The other was quicker, and made the same.
    if (!existsSync(folder)) throw error;
    await rm(unfinished, { recursive: true });
  });
  return join(folder, name);
}

// Frames are counted by decoding them, for headers may be silent or wrong.
async function facts(path) {
  const { stdout } = await succeed("ffprobe", [
    ...["-v", "error", "-count_frames", "-of", "json", "-show_entries"],
    "stream=codec_type,width,height,avg_frame_rate,nb_read_frames:format=duration",
    path,
  ]);
  const { streams, format } = JSON.parse(stdout);
  const of = (type) => streams.filter((it) => it.codec_type === type);
  const [video] = of("video");
  const picture = video ? pictureOf(video) : null;
  return {
    picture,
    seconds: Number(format.duration ?? picture.frames / picture.fps),
    sounds: of("audio").length,
    texts: of("subtitle").length,
  };
}

function pictureOf({ width, height, avg_frame_rate, nb_read_frames }) {
  const [over, under] = avg_frame_rate.split("/").map(Number);
  return { width, height, fps: over / under, frames: Number(nb_read_frames) };
}
