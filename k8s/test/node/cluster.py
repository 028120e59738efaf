"""The cluster of one run: from nothing to a site that answers."""

import time

from node import images, network, programs, runtime, site
from node.folder import run_folder
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
        self.kubectl = Kubectl(self._kubernetes.kubectl(), self.processes)
        self.url = self.token = None
        self.figures = {}

    def start(self):
        """Starts the node, loads the images, deploys, and makes an account with a token."""
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
        self.token = site.make_token(self.kubectl)
        say(f"all roles are ready at {self.url}")

    def end(self):
        """Ends all processes; the kernel ends what they leave."""
        self.processes.end()
