"""Things that are made once for their content: the name of a file holds the digest of all that it is made from."""

import hashlib
import os
import pathlib

from node.folder import CACHE


def digest(*parts):
    """Returns a short digest of texts and of files, by their content."""
    whole = hashlib.sha256()
    for part in parts:
        if isinstance(part, pathlib.Path):
            with part.open("rb") as file:
                part = hashlib.file_digest(file, "sha256").hexdigest()
        whole.update(f"{part}\0".encode())
    return whole.hexdigest()[:16]


def made(name, key, make, suffix=""):
    """Returns the file `name` of this key, and has it made where there is none. Those of other keys are removed."""
    path = CACHE / f"{name}-{key}{suffix}"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.new")
        unfinished.unlink(missing_ok=True)
        make(unfinished)
        for older in CACHE.glob(f"{name}-{'?' * len(key)}{suffix}"):
            older.unlink()
        os.rename(unfinished, path)
    return path
