// How soon an upload plays: from the answer to its last byte to the first segments of picture and sound, and from seeks
// into what is not encoded to theirs. Sources are one clip, looped by stream copy to three lengths.
// Usage: node benches/play.mjs CLIPCUT [CLIP]   (without CLIP: half a minute of 1080p, made here)
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const LENGTHS = [10, 600, 7200];
const SEEKS = 10;
const PATIENCE_MS = 120_000;
const [clipcut, given] = process.argv.slice(2);
if (!clipcut) throw new Error("usage: node benches/play.mjs CLIPCUT [CLIP]");
// The source of two hours lies there twice while it is uploaded: 9 GB at 5 Mbit/s.
const work = mkdtempSync(join(tmpdir(), "clipcut-play-"));

function ffmpeg(...args) {
  execFileSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...args], { stdio: "inherit" });
}

/** Returns the clip that is looped: 1080p at 25 frames a second, with sound. */
function clip() {
  if (given) return given;
  const made = join(work, "clip.mp4");
  const picture = "testsrc2=s=1920x1080:r=25:d=30,noise=alls=8:allf=t";
  const rate = ["-b:v", "5M", "-maxrate", "5M", "-bufsize", "10M"];
  const encoder = ["-c:v", "libx264", "-preset", "veryfast", ...rate, "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac"];
  ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=f=330:r=48000:d=30", ...encoder, made);
  return made;
}

function looped(source, seconds) {
  const file = join(work, `${seconds}.mp4`);
  ffmpeg("-stream_loop", "-1", "-i", source, "-map", "0:v:0", "-map", "0:a:0", "-t", String(seconds), "-c", "copy", file);
  return file;
}

/** Starts a server on a new library. */
async function serve() {
  const args = ["serve", "--listen", "127.0.0.1:0", "--data", join(work, "data")];
  const server = spawn(clipcut, args, { env: { ...process.env, CLIPCUT_ACCOUNTS: "off", CLIPCUT_CAPTIONS: "off" } });
  const url = await new Promise((resolve, reject) => {
    let log = "";
    const read = (text) => {
      log += text;
      const found = /serving (http:\/\/[^\s]+)/.exec(log);
      if (found) resolve(found[1].replace(/\/$/, ""));
    };
    server.stdout.on("data", read);
    server.stderr.on("data", read);
    server.on("exit", () => reject(new Error(log)));
  });
  return { server, url };
}

/** Fetches like a player, which asks again after 503. Returns the milliseconds to the first byte and to the last. */
async function fetched(url) {
  const began = performance.now();
  while (performance.now() - began < PATIENCE_MS) {
    const answer = await fetch(url);
    if (answer.status === 503) {
      await answer.arrayBuffer();
      await pause(url.endsWith(".m3u8") ? 20 : 1000);
      continue;
    }
    if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
    const first = performance.now() - began;
    const bytes = Buffer.from(await answer.arrayBuffer());
    return { first, whole: performance.now() - began, bytes };
  }
  throw new Error(`${url}: no answer in ${PATIENCE_MS / 1000} s`);
}

/** Fetches a segment of picture and sound at once; the slower one counts. */
async function both(base, [picture, sound], name) {
  const parts = await Promise.all([fetched(`${base}/${picture}/${name}`), fetched(`${base}/${sound}/${name}`)]);
  return { first: Math.max(...parts.map((part) => part.first)), whole: Math.max(...parts.map((part) => part.whole)) };
}

const shown = (milliseconds) => (milliseconds / 1000).toFixed(2);
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function measure(url, source, seconds) {
  const file = looped(source, seconds);
  const size = statSync(file).size;
  // By curl, for fetch sends no more than 4 GiB of a file.
  const upload = ["--silent", "--show-error", "--fail-with-body", "--request", "POST", "--header", "Expect:"];
  const answer = execFileSync("curl", [...upload, "--upload-file", file, `${url}/api/v1/videos?filename=clip.mp4`]);
  const uploaded = performance.now();
  const { id } = JSON.parse(answer);
  rmSync(file);
  const base = `${url}/v/${id}`;
  const master = (await fetched(`${base}/master.m3u8`)).bytes.toString();
  const planned = performance.now() - uploaded;
  const picture = /^([^#\n]+)\/media\.m3u8$/m.exec(master)[1];
  const sound = /TYPE=AUDIO,URI="([^"]+)\/media\.m3u8"/.exec(master)[1];
  const renditions = [picture, sound];
  await both(base, renditions, "init.mp4");
  const before = performance.now() - uploaded;
  const start = await both(base, renditions, "0.m4s");
  console.log(
    `| ${seconds} s | ${(size / 1e6).toFixed(0)} MB | ${picture} | ${shown(planned)} | ` +
      `${shown(before + start.first)} | ${shown(before + start.whole)} |`,
  );
  const playlist = (await fetched(`${base}/${picture}/media.m3u8`)).bytes.toString();
  const total = playlist.match(/^#EXTINF/gm).length;
  const seeks = [];
  for (let seek = 0; seek < (total > SEEKS ? SEEKS : 0); seek += 1) {
    const number = Math.floor(Math.random() * total);
    const { first, whole } = await both(base, renditions, `${number}.m4s`);
    seeks.push({ number, first, whole });
  }
  return { id, seeks };
}

try {
  const source = clip();
  const { server, url } = await serve();
  try {
    console.log("Seconds from the answer to the upload:\n");
    console.log("| length | size | begins on | playlists | first bytes | first segments |\n| --- | --- | --- | --- | --- | --- |");
    const seeks = [];
    for (const seconds of LENGTHS) {
      const measured = await measure(url, source, seconds);
      seeks.push(measured.seeks);
      // The next one is measured alone.
      await fetch(`${url}/api/v1/videos/${measured.id}`, { method: "DELETE" });
    }
    console.log("\nSeconds from a seek into what is not encoded, picture and sound:\n");
    console.log("| length | median first byte | worst | median whole | worst | each |\n| --- | --- | --- | --- | --- | --- |");
    for (const [place, list] of seeks.entries()) {
      if (list.length === 0) continue;
      const of = (key) => list.map((seek) => seek[key]);
      const figures = [median(of("first")), Math.max(...of("first")), median(of("whole")), Math.max(...of("whole"))];
      console.log(`| ${LENGTHS[place]} s | ${figures.map(shown).join(" | ")} | ${of("whole").map(shown).join(" ")} |`);
    }
  } finally {
    const ended = new Promise((resolve) => server.on("exit", resolve));
    server.kill("SIGTERM");
    await ended;
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
