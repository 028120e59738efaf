"""Forwards requests to a server and ends its event streams after a moment, since Schemathesis reads each answer to its end.

Arguments: the port to listen on, and the port of the server.
"""

import http.client
import http.server
import sys

# A stream of one video begins with its document; one of all videos may say nothing.
MOMENT_S = 0.3
HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Forwarder(http.server.BaseHTTPRequestHandler):
    """One request, sent on as it came."""

    protocol_version = "HTTP/1.1"

    def forward(self):
        length = int(self.headers.get("Content-Length") or 0)
        upstream = http.client.HTTPConnection("127.0.0.1", int(sys.argv[2]), timeout=30)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP:
                upstream.putheader(name, value)
        body = self.rfile.read(length)
        upstream.putheader("Content-Length", str(len(body)))
        upstream.endheaders(body)
        answer = upstream.getresponse()
        is_stream = answer.status == 200 and answer.headers.get_content_type() == "text/event-stream"
        body = self.first_moment(upstream, answer) if is_stream else answer.read()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        upstream.close()

    def first_moment(self, upstream, answer):
        upstream.sock.settimeout(MOMENT_S)
        body = b""
        try:
            while piece := answer.read1():
                body += piece
        except TimeoutError:
            pass
        return body

    def log_message(self, *_):
        pass

    def __getattr__(self, name):
        # The base class looks for do_GET and so on, and the tool sends methods that nobody has.
        if name.startswith("do_"):
            return self.forward
        raise AttributeError(name)


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Forwarder).serve_forever()
