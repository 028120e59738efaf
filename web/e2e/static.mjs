// A plain static file server, as anybody has one, and on it the pages of other people's players.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const MODULES = fileURLToPath(new URL("../node_modules/", import.meta.url));

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".m3u8": "application/vnd.apple.mpegurl",
  ".mpd": "application/dash+xml",
  ".mp4": "video/mp4",
  ".m4s": "video/mp4",
  ".vtt": "text/vtt",
  ".jpg": "image/jpeg",
};

/** Each player: its script, the lines that make it play `url` in `video`, and the one that shows its first captions. */
const PLAYERS = {
  "hls.js": {
    script: "/modules/hls.js/dist/hls.min.js",
    start: `const hls = new Hls();
      // Errors that are not fatal, such as stalls, come from a slow machine.
      hls.on(Hls.Events.ERROR, (_, it) => it.fatal && window.errors.push(it.details));
      hls.loadSource(url);
      hls.attachMedia(video);`,
    captions: "{ hls.subtitleTrack = 0; hls.subtitleDisplay = true; }",
  },
  "Shaka Player": {
    script: "/modules/shaka-player/dist/shaka-player.compiled.js",
    start: `const player = new shaka.Player();
      player.addEventListener("error", (it) => window.errors.push(JSON.stringify(it.detail)));
      player.attach(video).then(() => player.load(url)).catch((it) => window.errors.push(String(it)));`,
    captions: "player.selectTextTrack(player.getTextTracks()[0])",
  },
  "dash.js": {
    script: "/modules/dashjs/dist/modern/umd/dash.all.min.js",
    start: `const player = dashjs.MediaPlayer().create();
      player.on("error", (it) => window.errors.push(JSON.stringify(it.error)));
      // It takes a slow machine's stall near the end for a gap, and then stops. A gap of ours is not to be hidden either.
      player.updateSettings({ streaming: { gaps: { jumpGaps: false } } });
      player.initialize(video, url, true);`,
    captions: "player.setTextTrack(0)",
  },
};

export const ALL_PLAYERS = Object.keys(PLAYERS);
export const DASH_PLAYERS = ["Shaka Player", "dash.js"];

/** Serves `folder` at its root. */
export async function serveFolder(folder) {
  const server = createServer((request, response) => {
    answer(folder, new URL(request.url, "http://localhost"), response).catch((error) => {
      response.writeHead(error.code === "ENOENT" ? 404 : 500).end();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    url,
    /** Returns the address of a page on which the player plays what is at `media`. */
    page: (player, media) => `${url}/play?${new URLSearchParams({ player, media })}`,
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(folder, { pathname, searchParams }, response) {
  if (pathname === "/favicon.ico") return response.writeHead(204).end();
  if (pathname === "/play") {
    response.writeHead(200, { "content-type": TYPES[".html"] });
    return response.end(html(searchParams.get("player"), searchParams.get("media")));
  }
  const path = normalize(decodeURIComponent(pathname));
  const file = path.startsWith("/modules/")
    ? join(MODULES, path.slice("/modules/".length))
    : join(folder, path);
  const { size } = await stat(file);
  const type = TYPES[extname(file)] ?? "application/octet-stream";
  response.writeHead(200, { "content-type": type, "content-length": size });
  createReadStream(file).pipe(response);
}

function html(name, media) {
  const { script, start, captions } = PLAYERS[name];
  return `<!doctype html>
<title>${name}</title>
<video autoplay playsinline width="640"></video>
<script src="${script}"></script>
<script>
  window.errors = [];
  const video = document.querySelector("video");
  const url = ${JSON.stringify(media)};
  ${start}
  window.showCaptions = () => ${captions};
</script>`;
}
