"""The container runtime: containerd with the images of this run, and no other."""

import json

from node import network
from node.command import output, works

SOCKET = "/run/containerd/containerd.sock"

_CONFIG = """
version = 2
root = "{folder}/containerd"
state = "/run/containerd"
[grpc]
address = "{socket}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "localhost/pause:test"
# The kernel of a virtual machine may refuse to lower it, and then no pod starts.
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = "{folder}/cni"
"""


def start(processes, folder):
    """Starts containerd."""
    (folder / "cni").mkdir()
    (folder / "cni/pods.conflist").write_text(json.dumps(network.cni()))
    (folder / "containerd.toml").write_text(_CONFIG.format(folder=folder, socket=SOCKET))
    processes.start("containerd", ["containerd", "--config", folder / "containerd.toml"])
    processes.wait_until("containerd answers", lambda: works([*_CTR, "version"]), 60)


_CTR = ["ctr", "--address", SOCKET, "--namespace", "k8s.io"]
# The servers' image is two images of base/ at once.
_NAMES = {"servers": ["postgres", "redis"]}


def load(images):
    """Loads archives by name, and gives each the names that the overlay calls it by."""
    for name, archive in images.items():
        output([*_CTR, "images", "import", str(archive)], seconds=600)
        for other in _NAMES.get(name, []):
            output([*_CTR, "images", "tag", f"localhost/{name}:test", f"localhost/{other}:test"])


def image_bytes():
    """Returns the size of each image, unpacked."""
    lines = [line.split() for line in output([*_CTR, "images", "list"]).splitlines()[1:]]
    return {line[0]: " ".join(line[3:5]) for line in lines if not line[0].startswith("sha256:")}
