// Starts the binary with an empty library of its own, and stops it.

import { spawn } from "node:child_process";
import { createReadStream, existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./until.mjs";

const BUILDS = ["../../target/debug/clipcut", "../../target/release/clipcut"];

/** The binary under test: `CLIPCUT_BIN`, or what the workspace has built. */
export const CLIPCUT =
  process.env.CLIPCUT_BIN ??
  BUILDS.map((it) => fileURLToPath(new URL(it, import.meta.url))).find((it) => existsSync(it));

// The binary refuses variables that it does not know, and what a developer has set for their own
// server is none of ours: it runs on its defaults, but that nobody has to sign in where accounts are
// not what is looked at.
export const DEFAULTS = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("CLIPCUT_")),
  ),
  CLIPCUT_ACCOUNTS: "off",
};

/** Starts it on its defaults, except for `settings`, its environment variables, which may be a function of its URL, and its flags. */
export async function startServer(settings = {}, flags = []) {
  const data = await mkdtemp(join(tmpdir(), "clipcut-e2e-"));
  const command = ["serve", "--data", data, ...flags];
  let server = await start(command, settings);
  return {
    ...server,
    /** Ends it and leaves its library and its address for `rise`. */
    fall: () => server.stop(),
    async rise() {
      server = await start(command, settings, new URL(server.url).port);
    },
    async stop() {
      const code = await server.stop();
      await rm(data, { recursive: true, force: true });
      return code;
    },
  };
}

/** Starts an edge in front of a server. */
export function startEdge(server, settings = {}) {
  return start(["edge", "--origin", server.url], settings);
}

async function start(command, settings = {}, samePort = undefined) {
  if (CLIPCUT === undefined) throw new Error("no binary: run `cargo build`, or set CLIPCUT_BIN");
  const port = samePort ?? (await freePort());
  const args = [...command, "--listen", `127.0.0.1:${port}`];
  const url = `http://127.0.0.1:${port}`;
  const own = typeof settings === "function" ? settings(url) : settings;
  const env = { ...DEFAULTS, ...own };
  const child = spawn(CLIPCUT, args, { stdio: ["ignore", "pipe", "pipe"], env });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part) => {
      log += part;
    });
  }
  const ended = new Promise((resolve) => child.on("close", (code) => resolve(code)));
  // A test that is broken off must not leave a server behind.
  const kill = () => child.kill("SIGKILL");
  process.on("exit", kill);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

  await until(
    () => `the server to answer; its log:\n${log}`,
    async () => {
      if (child.exitCode !== null) throw new Error(`the server ended at once:\n${log}`);
      return fetch(`${url}/healthz`).then(
        (it) => it.ok,
        () => false,
      );
    },
  );
  return {
    url,
    log: () => log,
    /** The operators' address, where its metrics are. */
    admin: () => `http://${/administration on (\S+)/.exec(log)[1]}`,
    /** Ends it as an operator would; resolves to its exit code. */
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(kill, 15_000);
      const code = await ended;
      clearTimeout(timer);
      process.off("exit", kill);
      return code;
    },
  };
}

/** Uploads as curl does, and resolves to the video's document once every rendition is there. */
export async function upload(server, clip) {
  return ready(server, await begin(server, clip));
}

/** Uploads as curl does, and resolves to the video's id while its encode goes on. */
export async function begin(server, clip) {
  const query = new URLSearchParams({ title: clip.name });
  const response = await fetch(`${server.url}/api/v1/videos?${query}`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: createReadStream(clip.path),
    duplex: "half",
  });
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
  const { id } = await response.json();
  return id;
}

/**
 * Uploads all clips, and returns a map from each to the promise of its document: the next is encoded
 * while the last one is looked at.
 */
export function uploadAll(server, clips) {
  const uploads = new Map(clips.map((clip) => [clip, upload(server, clip)]));
  // An unhandled rejection ends the process before the test awaits it.
  for (const one of uploads.values()) one.catch(() => {});
  return uploads;
}

/** Resolves to the video's document once every rendition is there. */
export function ready(server, id) {
  return until(
    `${id} to be ready`,
    async () => {
      const video = await (await fetch(`${server.url}/api/v1/videos/${id}`)).json();
      if (video.state === "failed") throw new Error(`${id} failed: ${video.error.message}`);
      return video.state === "ready" && video;
    },
    { seconds: 120, every: 200 },
  );
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
