"""Namespaces of the node: network, mounts, processes and host name of its own.

The kernel ends all that is in them with their first process, also after `kill -9`: processes, mounts, addresses, rules of netfilter.
What is left is on disk and in the cgroups, which the outside clears away.
"""

import os
import pathlib
import signal
import subprocess
import sys

from node.folder import run_folder

_CGROUPS = pathlib.Path("/sys/fs/cgroup")
_PREFIX = "clipcut-test-"
# The pods count as much as so many processes of a machine that does other work; a group counts as one, else.
_WEIGHT = 10


def run_inside(script, arguments):
    """Runs `script` in new namespaces, as their first process, and returns how it ended; then clears away what it left."""
    name = f"{_PREFIX}{os.getpid()}"
    _clear_dead()
    # Killed with this process, also where that is by `kill -9`.
    argv = ["setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child=KILL", "--mount-proc"]
    # A session of its own: Ctrl-C reaches this process, which asks the inside to end.
    child = subprocess.Popen([*argv, sys.executable, script, "--inside", name, *arguments], start_new_session=True)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _ask_to_end(child))
    try:
        return child.wait()
    finally:
        _clear(name)


def _ask_to_end(child):
    for pid in _children(child.pid):
        os.kill(pid, signal.SIGTERM)


def _children(pid):
    return [int(word) for word in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def be_first(name, main):
    """Sets the namespaces up and runs `main` in a child; as the first process, this one reaps what others leave. Never returns."""
    _set_up(name)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
        sys.exit(main())
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    while True:
        ended, status = os.wait()
        if ended == child:
            sys.exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _set_up(name):
    folder = run_folder(name)
    folder.mkdir(parents=True)
    mount = lambda *words: subprocess.run(["mount", *words], check=True)  # noqa: E731
    # Mounts of containers pass between the processes of the node, and never to this machine.
    mount("--make-rshared", "/")
    # Sockets, the runtime's state and the names of pods' networks.
    mount("-t", "tmpfs", "tmpfs", "/run")
    # The volumes of k8s/overlays/test are here.
    for server in ("postgres", "mongodb"):
        volume = folder / "volumes" / server
        volume.mkdir(parents=True)
        os.chown(volume, 999, 999)
    pathlib.Path("/run/clipcut-test").mkdir()
    mount("--bind", str(folder / "volumes"), "/run/clipcut-test")
    subprocess.run(["hostname", "node1"], check=True)
    _make_cgroups(name)


def _make_cgroups(name):
    """Makes the cgroups that all pods of this run are below: one a controller in version 1, else one."""
    if (_CGROUPS / "cgroup.controllers").exists():
        (_CGROUPS / name).mkdir()
        (_CGROUPS / name / "cpu.weight").write_text(str(100 * _WEIGHT))
        return
    for parent in (path.parent for path in _CGROUPS.glob("*/cgroup.procs")):
        (parent / name).mkdir()
    (_CGROUPS / "cpu" / name / "cpu.shares").write_text(str(1024 * _WEIGHT))
    # Nothing runs in a cpuset before it has cores and memory.
    for file in ("cpuset.cpus", "cpuset.mems"):
        (_CGROUPS / "cpuset" / name / file).write_text((_CGROUPS / "cpuset" / file).read_text())


def _clear_dead():
    """Clears away what runs left that were killed."""
    for folder in run_folder("").glob(f"{_PREFIX}*"):
        if not pathlib.Path("/proc", folder.name.removeprefix(_PREFIX)).exists():
            _clear(folder.name)


def _clear(name):
    # Tens of thousands of files, which are a minute's work for shutil.
    subprocess.run(["rm", "-rf", "--one-file-system", str(run_folder(name))], check=False)
    for folder in [*_CGROUPS.glob(f"*/{name}"), *_CGROUPS.glob(name)]:
        for child, _, _ in os.walk(folder, topdown=False):
            try:
                os.rmdir(child)
            except OSError:
                pass
