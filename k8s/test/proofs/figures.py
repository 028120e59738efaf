"""Figures: the images' sizes, a pod's way from its start to ready, and memory at rest."""

import datetime
import pathlib

from node import runtime, site
from node.report import say, table

_MIB = 1 << 20


def prove(cluster):
    """Prints the tables; nothing here can fail but the reading."""
    say(f"from nothing to a ready node {cluster.figures['node']:.0f} s, from there to a ready site {cluster.figures['site']:.0f} s")
    table(["image", "size"], sorted(runtime.image_bytes().items()))
    rows = [[role, f"{_start(pod):.1f} s", f"{_memory(pod) / _MIB:.0f} MiB"] for role in (*site.ROLES, *site.SERVERS) for pod in cluster.kubectl.pods(role)]
    table(["role", "start to ready", "memory"], rows)


def _start(pod):
    """Returns the seconds from the container's start to the pod's readiness; Kubernetes keeps whole ones."""
    ready = next(one["lastTransitionTime"] for one in pod["status"]["conditions"] if one["type"] == "Ready")
    started = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
    return (datetime.datetime.fromisoformat(ready) - datetime.datetime.fromisoformat(started)).total_seconds()


def _memory(pod):
    """Returns the bytes of a pod that cannot be taken back: what its cgroup uses without the files that only are cached."""
    folder = next(pathlib.Path("/sys/fs/cgroup").glob(f"**/pod{pod['metadata']['uid']}/memory.stat")).parent
    stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    return int(stat.get("total_rss", stat.get("anon", 0)))
