"""Commands that run to their end."""

import subprocess

from node.failure import Failure

# A build may be slow on a busy machine, but not endless.
LONGEST_S = 3600


def output(argv, *, text=None, cwd=None, env=None, seconds=LONGEST_S):
    """Returns what a command printed; fails with its last lines where it did not end well."""
    try:
        done = subprocess.run(argv, input=text, cwd=cwd, env=env, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        raise Failure(f"{_shown(argv)} does not end within {seconds} s") from None
    if done.returncode != 0:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
        raise Failure(f"{_shown(argv)} ended with {done.returncode}", last)
    return done.stdout


def works(argv, seconds=30):
    """Returns whether a command ends well."""
    try:
        return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _shown(argv):
    return " ".join(str(word) for word in argv[:4])
