"""Where things lie: all below target/kube, so that `cargo clean` takes them too."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
TEST = ROOT / "k8s/test"
TARGET = ROOT / "target"
# Built once for a content: Go programs, systems, images.
CACHE = TARGET / "kube"
# The logs of the last run, which stay.
LOGS = CACHE / "logs"


def run_folder(name):
    """Returns the folder of what one run keeps: etcd, containerd, volumes. It goes with the run."""
    return CACHE / "runs" / name


def program():
    """Returns Clip Cut's program: the debug build, which tests make anyway, unless the environment names another."""
    return pathlib.Path(os.environ.get("CLIPCUT_PROGRAM", TARGET / "debug/clipcut"))
