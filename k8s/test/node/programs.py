"""The Go programs of the node: Kubernetes as one program, the names, the policies, and the process that holds a pod."""

import os

from node import cache
from node.command import output
from node.folder import TARGET, TEST
from node.report import say

VERSION = "1.34.4"
_STAMP = "k8s.io/component-base/version"
_KUBERNETES_FLAGS = f"-X {_STAMP}.gitVersion=v{VERSION} -X {_STAMP}.gitMajor=1 -X {_STAMP}.gitMinor=34"


def build_all():
    """Builds what is not built yet: ten minutes of two cores the first time, nothing after."""
    return {
        "kubernetes": _build("kubernetes", _KUBERNETES_FLAGS, "nine minutes, once"),
        "policies": _build("policies", "", "a minute, once"),
        "coredns": _build("coredns", "", "two minutes, once"),
        "pause": _build("pause", "", "once"),
    }


def _build(name, flags, length):
    folder = TEST / "programs" / name
    sources = sorted(path for path in folder.iterdir() if path.suffix in {".go", ".mod", ".sum"})
    return cache.made(name, cache.digest(flags, *sources), lambda path: _compile(folder, flags, length, path))


def _compile(folder, flags, length, path):
    say(f"go build {folder.name} ({length})")
    env = os.environ | {"CGO_ENABLED": "0"}
    argv = ["nice", "-n", "10", _go(), "build", "-trimpath", "-ldflags", f"-s -w {flags}", "-o", str(path), "."]
    output(argv, cwd=folder, env=env)


def _go():
    """Returns Go: the one that scripts/install brought where the system's is too old."""
    brought = TARGET / "go/go/bin/go"
    return str(brought) if brought.exists() else "go"
