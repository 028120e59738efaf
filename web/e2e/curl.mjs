// Asks as people do on a terminal.

import { succeed } from "./command.mjs";

/** Resolves to `{ status, headers, body }`, the names of the headers in lower case. */
export async function curl(...args) {
  const asked = ["-sS", "-i", "--max-time", "20", ...args];
  const { stdout } = await succeed("curl", asked, { encoding: "buffer" });
  const end = stdout.indexOf("\r\n\r\n");
  const [first, ...lines] = stdout.subarray(0, end).toString().split("\r\n");
  const headers = Object.fromEntries(
    lines.map((it) => {
      const [name, ...value] = it.split(": ");
      return [name.toLowerCase(), value.join(": ")];
    }),
  );
  return { status: Number(first.split(" ")[1]), headers, body: stdout.subarray(end + 4) };
}
