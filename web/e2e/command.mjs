// Runs another program to its end, bounded in time.

import { spawn } from "node:child_process";

/**
 * Resolves to `{ code, stdout, stderr }` whatever the code is. A program that takes longer than
 * `seconds` is killed and rejected. `onStart` gets the child, for programs that are talked to.
 */
export function run(
  program,
  args,
  { seconds = 60, env = process.env, cwd, encoding = "utf8", onStart } = {},
) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: [onStart ? "pipe" : "ignore", "pipe", "pipe"],
      env,
      cwd,
    });
    const out = { stdout: [], stderr: [] };
    for (const name of ["stdout", "stderr"]) child[name].on("data", (part) => out[name].push(part));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, seconds * 1000);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      const stdout = Buffer.concat(out.stdout);
      const stderr = Buffer.concat(out.stderr).toString();
      if (late) {
        const tail = `${stdout.toString().slice(-1000)}\n${stderr.slice(-1000)}`;
        reject(new Error(`${program} was still at work after ${seconds} s:\n${tail}`));
      } else {
        resolve({ code, stdout: encoding === "buffer" ? stdout : stdout.toString(), stderr });
      }
    });
    onStart?.(child);
  });
}

/** As `run`, for programs whose failure is the test's own trouble and not what is tested. */
export async function succeed(program, args, options) {
  const result = await run(program, args, options);
  if (result.code !== 0) {
    throw new Error(`${program} ${args.join(" ")} ended with ${result.code}:\n${result.stderr}`);
  }
  return result;
}
