"""Images without a registry: systems by mmdebstrap, images by buildah from `images/NAME/Containerfile`."""

import os
import shutil
import tempfile
from pathlib import Path

from node import cache
from node.command import output
from node.failure import Failure
from node.folder import ROOT, TARGET, TEST, program
from node.report import say

_SYSTEMS = {
    "clipcut": ["ca-certificates", "curl", "ffmpeg"],
    "servers": ["postgresql", "redis-server"],
}
# Manuals and translations are a third of a system.
_LEFT_OUT = [f"--dpkgopt=path-exclude=/usr/share/{folder}/*" for folder in ("doc", "man", "info", "locale")]
# The image makes its cluster where the pod's volume is.
_NO_CLUSTER = (
    'mkdir -p "$1/etc/postgresql-common" && '
    'echo "create_main_cluster = false" >"$1/etc/postgresql-common/createcluster.conf"'
)


def build_all(programs):
    """Returns archives by image: what is not built yet is built."""
    return {
        "pause": _image("pause", {"pause": programs["pause"]}),
        "coredns": _image("coredns", {"coredns": programs["coredns"]}),
        "servers": _image("servers", {"system.tar": _system("servers")}),
        "ferretdb": _image("ferretdb", {"mongodb-server": TARGET / "mongodb-server"}),
        "clipcut": _image("clipcut", _clipcut()),
    }


def _clipcut():
    """Returns what is in the image of Clip Cut, as its Dockerfile puts it together: the program without debug symbols."""
    source = program()
    if not source.exists():
        raise Failure(f"{source} is missing: build it (cargo build --bin clipcut), or name one in CLIPCUT_PROGRAM")
    stripped = cache.made("program", cache.digest(source), lambda path: _strip(source, path))
    files = {"system.tar": _system("clipcut"), "clipcut": stripped}
    for library in sorted((TARGET / "onnxruntime").glob("libonnxruntime.*")):
        files[f"runtime/{library.name}"] = library
    demo = ROOT / "transcriber/demo"
    for file in sorted(path for path in demo.rglob("*") if path.is_file()):
        files[f"demo/{file.relative_to(demo)}"] = file
    return files


def _strip(source, path):
    output(["objcopy", "--strip-debug", str(source), str(path)])
    path.chmod(0o755)


def _system(name):
    suite = _suite()
    packages = ",".join(_SYSTEMS[name])
    key = cache.digest(suite, packages, _NO_CLUSTER, *_LEFT_OUT)
    return cache.made(f"system-{name}", key, lambda path: _bootstrap(name, suite, packages, path), ".tar")


def _bootstrap(name, suite, packages, path):
    say(f"mmdebstrap {name} ({packages}; a minute, once)")
    argv = ["nice", "-n", "10", "mmdebstrap", "--quiet", "--mode=root", "--variant=essential", "--format=tar"]
    output([*argv, f"--include={packages}", f"--essential-hook={_NO_CLUSTER}", *_LEFT_OUT, suite, str(path)])


def _suite():
    """Returns this machine's Debian: the program was linked with its libraries."""
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.partition("=")[2].strip('"')
    raise Failure("this machine is no Debian: /etc/os-release names no VERSION_CODENAME")


def _image(name, files):
    folder = TEST / "images" / name
    own = {path.name: path for path in sorted(folder.iterdir())}
    parts = [part for entry in sorted((own | files).items()) for part in entry]
    return cache.made(f"image-{name}", cache.digest(*parts), lambda path: _build(name, own | files, path), ".tar")


def _build(name, files, path):
    say(f"buildah build {name}")
    with tempfile.TemporaryDirectory(dir=path.parent) as context:
        for place, file in files.items():
            target = Path(context, place)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
        env = os.environ | {"STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
        storage = ["--root", f"{context}.storage", "--runroot", f"{context}.run"]
        try:
            tag = f"docker-archive:{path}:localhost/{name}:test"
            output(["nice", "-n", "10", "buildah", *storage, "build", "--quiet", "--tag", tag, context], env=env)
        finally:
            shutil.rmtree(f"{context}.storage", ignore_errors=True)
            shutil.rmtree(f"{context}.run", ignore_errors=True)
