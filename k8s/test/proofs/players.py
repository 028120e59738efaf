"""Viewers on a host outside of the node: players that play a video over and over in real time, and visitors of its page.

Usage: players.py URL VIDEO PLAYERS VISITORS   (the token is in CLIPCUT_TOKEN)
Prints an event a line as JSON until its standard input closes: `at` (seconds of this machine's monotonic clock), `who`, and `error`
(what a viewer would have seen), `stall` (seconds that a player stood still) or `segments` (fetched so far).
"""

import http.client
import json
import os
import re
import sys
import threading
import time
from urllib.parse import urljoin, urlsplit

# The seconds that a player loads ahead.
BUFFER_S = 12
# A viewer's patience with one request, and between two tries.
TIMEOUT_S = 10
RETRY_S = 0.5
VISIT_S = 0.5
_PRINTING = threading.Lock()


class Refused(Exception):
    """A response that is none of what was asked for."""


class Connection:
    """One connection to the site that is kept, as browsers keep theirs."""

    def __init__(self, url, token):
        self._host, self._token, self._kept = urlsplit(url).netloc, token, None

    def get(self, path):
        """Returns a body. A kept connection that the server has closed meanwhile is no fault: a new one is tried once, as browsers do."""
        if self._kept:
            try:
                return self._ask(self._kept, path)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self._kept = None
        return self._ask(http.client.HTTPConnection(self._host, timeout=TIMEOUT_S), path)

    def _ask(self, connection, path):
        self._kept = None
        connection.request("GET", path, headers={"Authorization": f"Bearer {self._token}"})
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise Refused(f"{response.status} {body.decode(errors='replace')[:200]}")
        self._kept = connection
        return body


class Viewer(threading.Thread):
    """One that asks again after a fault, and tells of each."""

    def __init__(self, url, token, video, number):
        super().__init__(daemon=True)
        self._connection, self._video, self.number = Connection(url, token), video, number

    def get(self, path):
        """Returns a body, after as many tries as it takes."""
        while True:
            try:
                return self._connection.get(path)
            except (OSError, http.client.HTTPException, Refused) as error:
                # The plan is the playlist: a segment that is named and not encoded yet is waited for.
                if "segment_not_encoded_yet" not in str(error):
                    self.tell(error=f"{path}: {type(error).__name__} {error}".strip())
                time.sleep(RETRY_S)

    def tell(self, **event):
        """Prints an event, whole: all viewers print at once."""
        line = json.dumps({"at": time.monotonic(), "who": self.number} | event)
        with _PRINTING:
            print(line, flush=True)

    def document(self):
        """Returns the video's document."""
        return json.loads(self.get(f"/api/v1/videos/{self._video}"))


class Player(Viewer):
    """Plays picture and sound with a buffer, over and over."""

    def run(self):
        master = self.document()["playback"]["hls"]
        pictures, sounds = _renditions(self.get(master).decode())
        playlists = [urljoin(master, uri) for uri in (pictures[self.number % len(pictures)], sounds[0])]
        fetched, shown_until = 0, None
        while True:
            tracks = [_segments(playlist, self.get(playlist).decode()) for playlist in playlists]
            for (init, _), *_ in tracks:
                self.get(init)
            for (picture, length), (sound, _) in zip(*(track[1:] for track in tracks)):
                if shown_until is not None:
                    time.sleep(max(0.0, shown_until - time.monotonic() - BUFFER_S))
                self.get(picture)
                self.get(sound)
                now = time.monotonic()
                # The wait for the first segment is the start, and no stall.
                if shown_until is not None and now > shown_until:
                    self.tell(stall=round(now - shown_until, 3))
                # When the screen shows the end of what is loaded.
                shown_until = max(shown_until or now, now) + length
                fetched += 2
                self.tell(segments=fetched)


class Visitor(Viewer):
    """Looks at the page's document and its list again and again."""

    def run(self):
        while True:
            for path in (f"/api/v1/videos/{self._video}", "/api/v1/videos?limit=10", "/api/v1/session"):
                self.get(path)
                time.sleep(VISIT_S)


def _renditions(master):
    """Returns the URIs of pictures and of sounds."""
    pictures = [line for line in master.splitlines() if line and not line.startswith("#")]
    return pictures, re.findall(r'TYPE=AUDIO.*?URI="([^"]+)"', master)


def _segments(playlist, text):
    """Returns paths and seconds: the init segment, of no length, then the segments."""
    init = re.search(r'#EXT-X-MAP:URI="([^"]+)"', text).group(1)
    lengths = [float(length) for length in re.findall(r"#EXTINF:([0-9.]+)", text)]
    uris = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(urljoin(playlist, init), 0.0), *((urljoin(playlist, uri), length) for uri, length in zip(uris, lengths))]


def main(url, video, players, visitors):
    """Starts the viewers, a little apart, and waits for the end of standard input."""
    token = os.environ["CLIPCUT_TOKEN"]
    kinds = [Player] * int(players) + [Visitor] * int(visitors)
    for number, kind in enumerate(kinds):
        kind(url, token, video, number).start()
        time.sleep(0.3)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
