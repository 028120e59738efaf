// Builds the page for `make web`, only if a source has changed, and replaces only the files of dist/ whose bytes
// differ. Cargo compares times: a new time on an unchanged file would link the whole program again.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL(".", import.meta.url));
const MODULES = join(ROOT, "node_modules");
// Outside of node_modules, which every npm ci empties.
const CACHE = join(ROOT, "../target/page");
const BUILT = join(CACHE, "dist");
const DIST = join(ROOT, "dist");

const LOCK = [".npmrc", "package.json", "package-lock.json"];
const SOURCES = [
  "api-docs.html",
  "index.html",
  "public",
  "src",
  "precompress.ts",
  "tsconfig.json",
  "vite.config.ts",
];

const lock = await digest(LOCK);
if ((await stamp("modules")) !== lock || !existsSync(join(MODULES, ".package-lock.json"))) {
  run("npm", ["ci", "--no-audit", "--no-fund"]);
  await setStamp("modules", lock);
}
const sources = await digest([...LOCK, ...SOURCES]);
if ((await stamp("page")) !== sources || !existsSync(join(DIST, "index.html"))) {
  run("npm", ["run", "build", "--", "--outDir", BUILT, "--emptyOutDir"]);
  await publish();
  await setStamp("page", sources);
}

/** Returns a hash over the names and bytes of the files, folders included. */
async function digest(names) {
  const hash = createHash("sha256");
  for (const name of names) {
    for (const file of await filesOf(join(ROOT, name))) {
      const bytes = await readFile(file);
      hash.update(`${file.slice(ROOT.length)}\0${bytes.length}\0`).update(bytes);
    }
  }
  return hash.digest("hex");
}

async function filesOf(path) {
  if ((await stat(path)).isFile()) return [path];
  const names = await readdir(path, { recursive: true, withFileTypes: true });
  return names
    .filter((it) => it.isFile())
    .map((it) => join(it.parentPath ?? it.path, it.name))
    .sort();
}

/** Brings dist/ to the bytes of the build. */
async function publish() {
  const built = new Set((await filesOf(BUILT)).map((it) => it.slice(BUILT.length + 1)));
  // index.html last: its new time alone has rust-embed read the folder again, and by then all of it is there.
  const ordered = [...built].sort(
    (a, b) => Number(a === "index.html") - Number(b === "index.html"),
  );
  for (const name of ordered) {
    const bytes = await readFile(join(BUILT, name));
    const target = join(DIST, name);
    if (existsSync(target) && bytes.equals(await readFile(target))) continue;
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, bytes);
  }
  for (const path of await filesOf(DIST)) {
    if (!built.has(path.slice(DIST.length + 1))) await rm(path);
  }
}

async function stamp(name) {
  return readFile(join(CACHE, `${name}.sha256`), "utf8").catch(() => null);
}

async function setStamp(name, value) {
  await mkdir(CACHE, { recursive: true });
  await writeFile(join(CACHE, `${name}.sha256`), value);
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, stdio: "inherit" });
  if (error !== undefined) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
