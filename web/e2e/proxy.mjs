// A reverse proxy with a limit for bodies, as nginx and CDNs have one.

import { createServer, request } from "node:http";

/** Forwards to `server`, but for bodies above `limit` bytes; `uploads` fills with the lengths of those that pass. */
export async function startProxy(server, limit) {
  const { hostname, port } = new URL(server.url);
  const uploads = [];
  const proxy = createServer((incoming, outgoing) => {
    const length = Number(incoming.headers["content-length"] ?? 0);
    if (length > limit) {
      // nginx reads on for a while, so that the client sees the answer and no reset.
      incoming.resume();
      outgoing.writeHead(413, { "content-type": "text/html" });
      outgoing.end("<html><title>413 Request Entity Too Large</title></html>");
      return;
    }
    if (incoming.method === "PATCH") uploads.push(length);
    const { method, url: path, headers } = incoming;
    const forwarded = request({ hostname, port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.destroy());
    outgoing.on("close", () => forwarded.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${proxy.address().port}`,
    uploads,
    stop() {
      proxy.closeAllConnections();
      return new Promise((resolve) => proxy.close(resolve));
    },
  };
}
