// nginx in front of a server, with its own defaults but for where it writes.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./command.mjs";
import { freePort } from "./server.mjs";
import { until } from "./until.mjs";

/** Starts it with `directives` for its one server. */
export async function startNginx(server, directives) {
  const folder = await mkdtemp(join(tmpdir(), "clipcut-nginx-"));
  const port = await freePort();
  const file = join(folder, "nginx.conf");
  const write = (own) => writeFile(file, configuration({ folder, port, server, own }));
  await write(directives);
  const command = ["-p", folder, "-c", file, "-e", join(folder, "error.log")];
  const child = spawn("nginx", command, { stdio: "ignore" });
  const kill = () => child.kill("SIGTERM");
  process.on("exit", kill);
  const url = `http://127.0.0.1:${port}`;
  const answers = () =>
    fetch(`${url}/healthz`).then(
      (it) => it.ok,
      () => false,
    );
  await until("nginx to answer", answers);
  return {
    url,
    /** Takes other directives, as an operator does, while requests go on. */
    async reload(others) {
      await write(others);
      const { code, stderr } = await run("nginx", [...command, "-s", "reload"]);
      if (code !== 0) throw new Error(stderr);
    },
    async stop() {
      process.off("exit", kill);
      if (child.exitCode === null) {
        kill();
        await once(child, "exit");
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function configuration({ folder, port, server, own }) {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (it) => `${it}_temp_path ${folder}/${it};`,
  );
  // Workers of root's nginx are nobody's, who may not write here.
  const user = process.getuid() === 0 ? "user root;\n" : "";
  return `${user}daemon off;
pid ${folder}/nginx.pid;
worker_processes 1;
events {}
http {
  access_log off;
  ${temporary.join("\n  ")}
  server {
    listen 127.0.0.1:${port};
    ${own}
    location / {
      proxy_pass ${server.url};
      proxy_set_header Host $http_host;
      proxy_http_version 1.1;
    }
  }
}
`;
}
