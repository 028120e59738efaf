"""The viewers of a run, as the proofs of faults see them: what they met in a stretch of time."""

import json
import os
import subprocess
import sys
import threading

from node import network
from node.failure import Failure
from node.folder import LOGS, TEST


class Audience:
    """Ten players and two visitors, on a host outside of the node."""

    PLAYERS, VISITORS = 10, 2

    def __init__(self, cluster, video):
        argv = [sys.executable, str(TEST / "proofs/players.py"), cluster.url, video, str(self.PLAYERS), str(self.VISITORS)]
        self._log = (LOGS / "players.log").open("w")
        self._process = subprocess.Popen(
            network.at("outside", argv),
            env=os.environ | {"CLIPCUT_TOKEN": cluster.token},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._events, self._lock = [], threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            self._log.write(line)
            with self._lock:
                self._events.append(json.loads(line))

    def since(self, moment):
        """Returns what happened since a moment of the monotonic clock."""
        if self._process.poll() is not None:
            raise Failure(f"the players ended with {self._process.returncode}: see {LOGS}/players.log")
        with self._lock:
            account = Account([event for event in self._events if event["at"] >= moment], self.PLAYERS)
        # No error is only worth something where somebody looked.
        if account.segments == 0:
            raise Failure(f"nobody fetched a segment: see {LOGS}/players.log")
        return account

    def end(self):
        """Sends all home."""
        self._process.stdin.close()
        self._process.wait(10)
        self._log.close()


class Account:
    """What viewers met in a stretch of time."""

    def __init__(self, events, players):
        self.player_errors = [event["error"] for event in events if "error" in event and event["who"] < players]
        self.page_errors = [event["error"] for event in events if "error" in event and event["who"] >= players]
        self.longest_stall = max((event["stall"] for event in events if "stall" in event), default=0.0)
        self.segments = sum(2 for event in events if "segments" in event)
