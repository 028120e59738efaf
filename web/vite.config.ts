import { env } from "node:process";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { precompress } from "./precompress.ts";

// The server that `npm run dev` shows the front end of.
const SERVER = env.CLIPCUT_SERVER ?? "http://localhost:8080";

export default defineConfig({
  plugins: [react(), precompress()],
  build: {
    // Assets stay files: the content security policy allows no data: URLs.
    assetsInlineLimit: 0,
    // hls.js is one chunk of its own that only the watch page loads.
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: { "/api": SERVER, "/v/": SERVER },
  },
  test: {
    include: ["src/**/*.test.ts"],
  },
});
