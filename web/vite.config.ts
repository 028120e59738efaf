import { env } from "node:process";
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import hls from "hls.js/package.json" with { type: "json" };
import { defineConfig } from "vitest/config";
import { precompress } from "./precompress.ts";

// The server that `npm run dev` shows the front end of.
const SERVER = env.CLIPCUT_SERVER ?? "http://localhost:8080";

// hls.js is built from its sources without the parts that nothing here uses, which are a fourth of it: a viewer on a slow
// line waits for every byte of it. The flags are those of its own builds.
const UNUSED_IN_HLS = [
  "CMCD",
  "CONTENT_STEERING",
  "EME_DRM",
  "IFRAMES",
  "INTERSTITIALS",
  "M2TS_ADVANCED_CODECS",
  "MEDIA_CAPABILITIES",
  "VARIABLE_SUBSTITUTION",
];

export default defineConfig({
  plugins: [react(), precompress()],
  resolve: {
    alias: [
      { find: /^hls\.js$/, replacement: hlsSource("exports-named.ts") },
      { find: "@svta/cml-cmcd", replacement: hlsSource("empty.js") },
    ],
  },
  define: {
    __VERSION__: JSON.stringify(hls.version),
    __IN_WORKER__: "false",
    __HLS_WORKER_BUNDLE__: "undefined",
    __USE_ALT_AUDIO__: "true",
    __USE_SUBTITLES__: "true",
    ...Object.fromEntries(UNUSED_IN_HLS.map((it) => [`__USE_${it}__`, "false"])),
  },
  build: {
    // Assets stay files: the content security policy allows no data: URLs.
    assetsInlineLimit: 0,
    // hls.js is one chunk of its own that only the watch page loads, and Swagger UI that of a page of its own.
    chunkSizeWarningLimit: 1600,
    rolldownOptions: { input: ["index.html", "api-docs.html"] },
  },
  server: {
    proxy: { "/api": SERVER, "/v/": SERVER },
  },
  test: {
    include: ["src/**/*.test.ts"],
  },
});

function hlsSource(file: string): string {
  return fileURLToPath(new URL(`node_modules/hls.js/src/${file}`, import.meta.url));
}
