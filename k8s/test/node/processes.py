"""Processes of the node: each in a session of its own, with a log of its own, ended in reverse order."""

import os
import signal
import subprocess
import time

from node.failure import Failure
from node.folder import LOGS

_GRACE_S = 5


class Processes:
    """What one run has started."""

    def __init__(self):
        LOGS.mkdir(parents=True, exist_ok=True)
        for log in LOGS.glob("*.log"):
            log.unlink()
        self._started = []

    def start(self, name, argv, env=None):
        """Starts a process that has to run until the end of the run."""
        with (LOGS / f"{name}.log").open("w") as log:
            process = subprocess.Popen(
                [str(word) for word in argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | (env or {}),
                start_new_session=True,
            )
        self._started.append((name, process))
        return process

    def check(self):
        """Fails where one has ended by itself."""
        for name, process in self._started:
            if process.poll() is not None:
                raise Failure(f"{name} ended with {process.returncode}: see {LOGS / name}.log", last_lines(name))

    def wait_until(self, what, condition, seconds):
        """Waits until `condition` returns something true, which is returned; watches over all processes meanwhile."""
        end = time.monotonic() + seconds
        while True:
            self.check()
            met = condition()
            if met:
                return met
            if time.monotonic() > end:
                raise Failure(f"{what}: not within {seconds} s")
            time.sleep(0.2)

    def freeze(self, name, seconds):
        """Stops a process for a while: to others it is a server that does not answer."""
        process = dict(self._started)[name]
        process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            process.send_signal(signal.SIGCONT)

    def end(self):
        """Ends all, the last one first."""
        for _, process in reversed(self._started):
            process.terminate()
        end = time.monotonic() + _GRACE_S
        for _, process in reversed(self._started):
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def last_lines(name, count=10):
    """Returns the last lines of a process's log."""
    return "\n".join((LOGS / f"{name}.log").read_text(errors="replace").splitlines()[-count:])
