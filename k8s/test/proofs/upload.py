"""An upload by Clip Cut's own command, from a host outside of the node. The command stays until the video is encoded."""

import os
import subprocess

from node import network
from node.failure import Failure
from node.folder import program


class Upload:
    """One file on its way; `id` is known once all its bytes are there."""

    def __init__(self, cluster, source, host="outside"):
        env = os.environ | {"CLIPCUT_TOKEN": cluster.token, "NO_PROXY": "*", "XDG_STATE_HOME": str(cluster.folder / "state")}
        argv = [str(program()), "upload", str(source), "--server", cluster.url]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(network.at(host, argv), env=env, stdout=pipe, stderr=pipe, stdin=subprocess.DEVNULL, text=True)

    def id(self):
        """Waits for the last byte and returns the video's id."""
        printed = self._process.stdout.readline().strip()
        if not printed:
            self.wait()
            raise Failure("clipcut upload printed no address")
        return printed.rsplit("/", 1)[-1]

    def wait(self, seconds=300):
        """Waits until the command says that the video is encoded."""
        try:
            _, errors = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise Failure(f"clipcut upload does not end within {seconds} s") from None
        if self._process.returncode != 0:
            raise Failure(f"clipcut upload ended with {self._process.returncode}", errors[-1000:])
