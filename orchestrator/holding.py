"""A run has one writer: the lock that the process holds which works on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

#: The lock's name in a run directory.
LOCK = ".lock"

# Whoever looks whether a run is held, holds it for an instant; that is waited out.
_PATIENCE = 1.0


class Busy(RuntimeError):
    """Another process holds the run."""


@contextmanager
def held(run_dir: Path) -> Iterator[None]:
    """Hold a run directory, which must be there, for writing. The lock of a dead process is free.

    Raises:
        Busy: if another process holds it.
        OSError: if the directory cannot be written.
    """
    lock = FileLock(run_dir / LOCK)
    try:
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        raise Busy(f"{run_dir}: another process is running this run") from None
    try:
        yield
    finally:
        lock.release()
