// Runs the public HTTP caching suite (https://cache-tests.fyi, npm's `http-cache-tests`) against `clipcut edge` in front of the
// suite's own server, and compares what fails with `exceptions.mjs`. Arguments are ids of tests, which are shown whole.

import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { run } from "../e2e/command.mjs";
import { startEdge } from "../e2e/server.mjs";
import { EXCEPTIONS } from "./exceptions.mjs";

const SUITE = dirname(createRequire(import.meta.url).resolve("http-cache-tests/package.json"));
// The suite's server reads these to know which answer of which test a request is for.
const MARKS = "test-id,test-name,req-num";

const origin = await startOrigin();
const edge = await startEdge(origin, { CLIPCUT_FORWARD_HEADERS: MARKS });
try {
  const ids = process.argv.slice(2);
  if (ids.length > 0) {
    for (const id of ids) console.log(await ask(id));
  } else {
    const results = JSON.parse(await ask(""));
    process.exitCode = report(await suites(), results) ? 0 : 1;
  }
} finally {
  await edge.stop();
  origin.stop();
}

/** Starts the suite's own origin on a free port. */
function startOrigin() {
  const env = {
    ...process.env,
    npm_config_protocol: "http",
    npm_config_port: "0",
    npm_config_pidfile: "/dev/null",
  };
  const child = spawn(process.execPath, ["server/server.mjs"], {
    cwd: SUITE,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  process.on("exit", () => child.kill());
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`the suite's server ended with ${code}`)));
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (line) => {
      const port = /:(\d+)\/\s*$/.exec(line)?.[1];
      if (port) resolve({ url: `http://127.0.0.1:${port}`, stop: () => child.kill() });
    });
  });
}

/** Runs the test `id`, or all with "", and returns what the suite prints. */
async function ask(id) {
  const env = { ...process.env, npm_config_base: edge.url, npm_package_config_id: id };
  const args = ["--no-warnings", join(SUITE, "cli.mjs")];
  const { code, stdout, stderr } = await run(process.execPath, args, { seconds: 300, env });
  if (code !== 0 || stderr !== "") throw new Error(`the suite failed with ${code}:\n${stderr}`);
  return stdout;
}

async function suites() {
  const load = async (file) => (await import(pathToFileURL(join(SUITE, "tests", file)))).default;
  return [...(await load("index.mjs")), await load("surrogate-control.mjs")];
}

/** Prints the numbers and what is unexpected; returns whether all is as expected. */
function report(suites, results) {
  const tests = suites.flatMap((suite) => suite.tests).filter((test) => !test.browser_only);
  const kindOf = (test) => test.kind ?? "required";
  let good = true;
  for (const kind of ["required", "optimal"]) {
    const all = tests.filter((test) => kindOf(test) === kind);
    const passed = all.filter((test) => results[test.id] === true);
    console.log(`${kind}: ${passed.length} of ${all.length}`);
    for (const test of all) {
      const reason = EXCEPTIONS[test.id];
      if (results[test.id] === true && reason !== undefined) {
        console.log(`  ${test.id} passes: take it out of exceptions.mjs`);
        good = false;
      } else if (results[test.id] !== true) {
        console.log(
          `  ${test.id}: ${results[test.id]}${reason === undefined ? "" : `\n    (${reason})`}`,
        );
        good &&= reason !== undefined;
      }
    }
  }
  return good;
}
