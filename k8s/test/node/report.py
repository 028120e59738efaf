"""What a run prints."""

import sys
import time

_BEGUN = time.monotonic()


def say(line):
    """Prints a line with the seconds since the start."""
    print(f"{time.monotonic() - _BEGUN:6.1f} s  {line}", flush=True)


def complain(failure):
    """Prints a failure: one line, then what there is to read below it."""
    print(f"test-kube: {failure}", file=sys.stderr)
    for line in failure.details.splitlines():
        print(f"    {line}", file=sys.stderr)


def table(heads, rows):
    """Prints rows in columns, as Markdown, so that they can be pasted into a note."""
    lines = [heads, *rows]
    widths = [max(len(str(line[n])) for line in lines) for n in range(len(heads))]
    shown = ["| " + " | ".join(str(cell).ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    shown.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    print("\n" + "\n".join(shown) + "\n", flush=True)
