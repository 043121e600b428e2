"""Named points in the code path at which a process can be told to die, to test recovery.

``ENVOLVE_CRASH`` names a file; whoever tests writes a point's name and a count into it
(`arm`). The first process that passes the point for that many times takes the file away and
dies by SIGKILL, as a process does that is killed from outside: nothing is cleaned up, nothing
is flushed. Without the variable a point is one comparison.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

VARIABLE = "ENVOLVE_CRASH"

#: Every point, in the order in which a boundary passes them.
POINTS = (
    "train.done",
    "score.done",
    "checkpoint.begun",
    "checkpoint.filled",
    "checkpoint.sealed",
    "checkpoint.published",
    "journal.half",
    "journal.written",
    "journal.flushed",
    "boundary.decided",
    "boundary.recorded",
    "mutation.recorded",
    "directive.sent",
    "directive.received",
    "become.rebuilt",
    "become.restored",
    "directive.done",
    "best.linked",
    "prune.recorded",
    "prune.aside",
    "run.recorded",
    "resume.recorded",
    "signal.saved",
)

_file = os.environ.get(VARIABLE)
_passed: Counter[str] = Counter()


def arm(file: Path, point: str, count: int = 1) -> None:
    """Have the process die that passes ``point`` for the ``count``-th time from now on.

    Args:
        file: what ``ENVOLVE_CRASH`` names for the processes that are meant.

    Raises:
        ValueError: for a point that is none.
    """
    if point not in POINTS:
        raise ValueError(f"a crash point must be one of {', '.join(POINTS)}, but got {point!r}")
    temporary = file.with_name(f".{file.name}.tmp")
    temporary.write_text(f"{point} {count}")
    temporary.replace(file)


def reached(point: str) -> None:
    """Die here, if this process was told to."""
    if _file is not None and due(point):
        die()


def due(point: str) -> bool:
    """Whether this process was told to die at ``point`` now; true for one process only."""
    if _file is None:
        return False
    try:
        armed, count = Path(_file).read_text().split()
    except (OSError, ValueError):
        return False
    if armed != point:
        return False
    _passed[point] += 1
    if _passed[point] < int(count):
        return False
    try:
        os.unlink(_file)
    except OSError:
        return False
    return True


def die() -> None:
    """End this process as SIGKILL does."""
    os.kill(os.getpid(), signal.SIGKILL)
