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


def is_held(run_dir: Path) -> bool:
    """Whether some process is working on the run now."""
    if not (run_dir / LOCK).exists():
        return False
    lock = FileLock(run_dir / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        # A run that we may only read: nobody's, as far as can be told.
        return False
    lock.release()
    return False
