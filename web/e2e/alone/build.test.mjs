// The build of the page as `make web` runs it: nothing that cargo watches may change without need.

import assert from "node:assert/strict";
import { readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { succeed } from "../command.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const DIST = join(ROOT, "dist");

const build = () => succeed("node", [join(ROOT, "build.mjs")], { seconds: 300 });

/** Returns the times of the built files that cargo compares. */
async function times() {
  const all = await readdir(DIST, { recursive: true, withFileTypes: true });
  const files = all
    .filter((it) => it.isFile())
    .map((it) => join(it.parentPath ?? it.path, it.name));
  const pairs = files.sort().map(async (it) => [it, (await stat(it)).mtimeMs]);
  return Object.fromEntries(await Promise.all(pairs));
}

describe("the page's build", { concurrency: false }, () => {
  before(build);

  test("leaves every file alone when a source has a new time and the old bytes", async () => {
    const built = await times();
    const now = new Date();
    await utimes(join(ROOT, "src/app/main.tsx"), now, now);
    const { stdout } = await build();
    assert.equal(stdout, "", "nothing ran");
    assert.deepEqual(await times(), built);
  });

  test("writes the file that is missing and no other", async () => {
    const built = await times();
    const page = join(DIST, "index.html");
    await rm(page);
    await build();
    const { [page]: old, ...others } = built;
    const { [page]: fresh, ...kept } = await times();
    assert.ok(fresh > old);
    assert.deepEqual(kept, others);
  });
});
