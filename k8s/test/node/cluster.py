"""The cluster of one run: from nothing to a site that answers."""

import os
import time

from node import images, network, programs, runtime, site
from node.command import output
from node.folder import program, run_folder
from node.kubectl import Kubectl
from node.kubernetes import Kubernetes
from node.processes import Processes
from node.report import say


class Cluster:
    """What the proofs use: the node's processes, kubectl, the site's URL and an account's token."""

    def __init__(self, name):
        self.folder = run_folder(name)
        self.processes = Processes()
        # All of it is cached: the outside built it, where the registries are.
        self._programs = programs.build_all()
        self.images = images.build_all(self._programs)
        self._kubernetes = Kubernetes(self.processes, self.folder, self._programs, cgroup=name)
        self.kubectl = Kubectl(self._kubernetes.kubectl())
        self.url = self.token = None
        self.figures = {}

    def start(self):
        """Starts the node, loads the images, deploys, and makes an account."""
        begun = time.monotonic()
        network.set_up()
        runtime.start(self.processes, self.folder)
        runtime.load(self.images)
        self._kubernetes.start()
        say("the node is ready")
        ready = time.monotonic()
        self.figures["node"] = ready - begun
        site.deploy(self.kubectl)
        self.figures["site"] = time.monotonic() - ready
        self.url = site.address(self.kubectl)
        self.token = self._sign_in(*site.make_account(self.kubectl))
        say(f"all roles are ready at {self.url}")

    def _sign_in(self, email, password):
        """Returns a token, made as a person makes it who uploads from a terminal."""
        folder = self.folder / "home"
        env = os.environ | {"XDG_CONFIG_HOME": str(folder), "NO_PROXY": "*"}
        output(network.at("outside", [str(program()), "login", email, "--server", self.url]), text=f"{password}\n", env=env)
        [kept] = (folder / "clipcut/tokens").iterdir()
        return kept.read_text().strip()

    def end(self):
        """Ends all processes; the kernel ends what they leave."""
        self.processes.end()
