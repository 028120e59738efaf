"""The API and the media of a site, as a program of a person with a token asks them."""

import json
import time
import urllib.error
import urllib.request

from node.failure import Failure

_PATIENCE_S = 120
# No environment variable sends a request of the node to a proxy of this machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Api:
    """A site by its URL and a token."""

    def __init__(self, url, token):
        self.url, self._token = url, token

    def json(self, path, method="GET", body=None):
        """Returns a document."""
        return json.loads(self.bytes(path, method, body) or b"null")

    def bytes(self, path, method="GET", body=None, headers=None):
        """Returns a body; what is not there yet is asked for again, as players do."""
        end = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return self.ask(path, method, body, headers).read()
            except urllib.error.HTTPError as error:
                answer = error.read().decode(errors="replace")
                if error.code != 503 or time.monotonic() > end:
                    raise Failure(f"{method} {path}: {error.code}", answer) from None
                time.sleep(1)

    def ask(self, path, method="GET", body=None, headers=None):
        """Returns the response to one request."""
        fields = {"Authorization": f"Bearer {self._token}"} | (headers or {})
        if isinstance(body, dict):
            body, fields["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(self.url + path, data=body, method=method, headers=fields)
        return _OPENER.open(request, timeout=30)

    def video(self, video):
        """Returns a video's document."""
        return self.json(f"/api/v1/videos/{video}")

    def wait_until(self, video, what, condition, seconds):
        """Waits until a video's document meets a condition, and returns it."""
        end = time.monotonic() + seconds
        while True:
            document = self.video(video)
            if condition(document):
                return document
            if document["state"] == "failed":
                raise Failure(f"video {video} has failed: {document['error']}")
            if time.monotonic() > end:
                raise Failure(f"video {video}: {what} not within {seconds} s; its state is {document['state']}")
            time.sleep(0.5)
