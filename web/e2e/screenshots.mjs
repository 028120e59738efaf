// Takes the pictures of the README: `npm run screenshots`, after a build. The library holds what
// ffmpeg draws and, before it, the folder that CLIPCUT_TEST_MEDIA names; the demo video is watched, which speaks.

import { mkdir, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { launch, newPage } from "./chromium.mjs";
import { succeed } from "./command.mjs";
import { startServer, upload } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

const DOCS = fileURLToPath(new URL("../../docs/", import.meta.url));
// More than the README needs, were they shown in full colour.
const MOST_BYTES = 400_000;

const MEDIA = /\.(mp4|mov|mkv|webm|flac|mp3)$/i;

const DRAWN = {
  Mandelbrot: "mandelbrot=size=1280x720:rate=25:start_scale=0.4:end_scale=0.02:end_pts=200",
  Gradients: "gradients=size=1280x720:rate=25:speed=0.02:nb_colors=4:seed=5",
};

const folder = await mkdtemp(join(tmpdir(), "clipcut-screenshots-"));
const server = await startServer();
const onnxruntime = fileURLToPath(new URL("../../target/onnxruntime", import.meta.url));
const speaking = await startServer({ CLIPCUT_ONNXRUNTIME: onnxruntime }, ["--demo"]);
const browser = await launch();
try {
  const { page } = await newPage(browser, { colorScheme: "light" });
  const videos = [];
  // The library shows the newest first.
  for (const clip of (await footage()).reverse()) videos.push(await upload(server, clip));

  await page.goto(server.url);
  const posters = page.locator("main li img");
  await until("the posters", async () => {
    const whole = await posters.evaluateAll((all) => all.every((it) => it.naturalWidth > 0));
    return whole && (await posters.count()) === videos.filter((it) => it.poster !== null).length;
  });
  await shoot(page, "library");

  await page.goto(`${speaking.url}/watch/${await demoVideo()}`);
  await viewer.opened(page);
  await viewer.choose(page, "Captions", "English (automatic)");
  await viewer.seek(page, () => viewer.pressSeekBar(page, 0.52));
  await page.locator("[aria-current=true]").waitFor();
  await until("words on the picture", () =>
    page.evaluate(() =>
      [...window.seen.video.textTracks].some(
        (it) => it.mode === "showing" && it.activeCues?.length,
      ),
    ),
  );
  // Over the bar it would lay its time upon the words.
  await page.mouse.move(0, 0);
  await shoot(page, "watch");
} finally {
  await browser.close();
  await server.stop();
  await speaking.stop();
  await rm(folder, { recursive: true, force: true });
}

/** Resolves to the id of the demo video once it is whole, with its captions. */
function demoVideo() {
  return until(
    "the demo video",
    async () => {
      const { videos } = await (await fetch(`${speaking.url}/api/v1/videos`)).json();
      const [video] = videos;
      return video?.state === "ready" && video.captions[0]?.state === "done" && video.id;
    },
    { seconds: 120, every: 200 },
  );
}

async function footage() {
  const given = process.env.CLIPCUT_TEST_MEDIA;
  const names = given === undefined ? [] : (await readdir(given)).filter((it) => MEDIA.test(it));
  const clips = names
    .sort()
    .map((it) => ({ name: basename(it, extname(it)), path: join(given, it) }));
  for (const [name, source] of Object.entries(DRAWN)) {
    const path = join(folder, `${name}.mp4`);
    const input = ["-f", "lavfi", "-i", source, "-t", "8", "-pix_fmt", "yuv420p"];
    await succeed("ffmpeg", ["-v", "error", ...input, "-preset", "veryfast", path]);
    clips.push({ name, path });
  }
  return clips;
}

/** Takes the page as it stands, in as few colours as keep the file small. */
async function shoot(page, name) {
  await mkdir(DOCS, { recursive: true });
  const taken = join(folder, `${name}.png`);
  const kept = join(DOCS, `${name}.png`);
  await page.screenshot({ path: taken, animations: "disabled" });
  const filter = "split[a][b];[a]palettegen=stats_mode=full[p];[b][p]paletteuse=dither=sierra2_4a";
  await succeed("ffmpeg", ["-v", "error", "-y", "-i", taken, "-vf", filter, kept]);
  const { size } = await stat(kept);
  if (size > MOST_BYTES) throw new Error(`${kept} has ${size} bytes, more than ${MOST_BYTES}`);
  process.stdout.write(`${kept}: ${size} bytes\n`);
}
