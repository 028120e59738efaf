// An SMTP server for one test, which keeps what it takes: aiosmtpd of scripts/install.

import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "./server.mjs";
import { until } from "./until.mjs";

const PYTHON = fileURLToPath(new URL("../../target/smtp/bin/python", import.meta.url));

export async function startSmtp() {
  const folder = await mkdtemp(join(tmpdir(), "clipcut-e2e-mail-"));
  const port = await freePort();
  const handler = ["-c", "aiosmtpd.handlers.Mailbox", join(folder, "maildir")];
  const args = ["-m", "aiosmtpd", "-n", "-l", `127.0.0.1:${port}`, ...handler];
  const child = spawn(PYTHON, args, { stdio: "ignore" });
  // A test that is broken off must not leave a server behind.
  const kill = () => child.kill("SIGKILL");
  process.on("exit", kill);
  await until("the SMTP server", () => answers(port));
  const waiting = () => readdir(join(folder, "maildir/new")).catch(() => []);
  return {
    url: `smtp://127.0.0.1:${port}`,
    /** Resolves to the next mail, taken out of its folder, with its lines whole (RFC 2045 §6.7). */
    async next() {
      const [name] = await until("a mail", async () => {
        const names = await waiting();
        return names.length > 0 && names;
      });
      const path = join(folder, "maildir/new", name);
      const mail = await readFile(path, "utf8");
      await rm(path);
      return mail.replaceAll(/=\r?\n/g, "").replaceAll("=3D", "=");
    },
    async stop() {
      kill();
      process.off("exit", kill);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
