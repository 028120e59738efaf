// The build's precompression: each text file of the page gets a .br and a .gz beside it, which the server picks
// from by Accept-Encoding. At build time the slowest setting costs nothing per request.

import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import type { Plugin } from "vite";

const TEXT = /\.(html|js|css|svg|txt|webmanifest)$/;

export function precompress(): Plugin {
  return {
    name: "precompress",
    apply: "build",
    // Files of public/ are copied, not bundled, so that the written folder is read and not the bundle.
    async writeBundle({ dir }) {
      if (dir === undefined) return;
      const files = await readdir(dir, { recursive: true });
      await Promise.all(files.filter((it) => TEXT.test(it)).map((it) => compress(join(dir, it))));
    },
  };
}

async function compress(path: string) {
  const plain = await readFile(path);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
  };
  const variants = {
    br: await promisify(brotliCompress)(plain, { params }),
    // Node writes no time into gzip's header, so the same source gives the same bytes and the same entity tag.
    gz: await promisify(gzip)(plain, { level: constants.Z_BEST_COMPRESSION }),
  };
  for (const [extension, bytes] of Object.entries(variants)) {
    // A variant that saves nothing would only cost the client a decoder.
    if (bytes.length < plain.length) await writeFile(`${path}.${extension}`, bytes);
  }
}
