"""Timing a command from start to exit, and ending whatever it leaves running."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.setting import ROOT

_PR_SET_CHILD_SUBREAPER = 36
# Ray's own processes need a moment after the driver's end.
GRACE = 5.0


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        seconds: from its start to its exit.
        complaint: why it did not end by itself with 0; empty if it did.
    """

    seconds: float
    complaint: str = ""


def run(command: Sequence[str], output: Path, limit: float, environ: Mapping[str, str]) -> Ended:
    """Run ``command`` from ROOT, with ``environ`` on top of this process's environment.

    Nothing else may start processes below this one in the meantime: they would be ended too.

    Args:
        output: the file that it prints to.
        limit: seconds, after which it is killed.
    """
    with open(output, "wb") as file, _orphans_adopted():
        older = psutil.Process().children()
        begin = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        try:
            code = process.wait(limit)
            seconds = time.perf_counter() - begin
            psutil.wait_procs(_started_since(older), timeout=GRACE)
        except subprocess.TimeoutExpired:
            return Ended(limit, f"it did not end within {limit:g} s")
        finally:
            while left := _started_since(older):
                _kill(left)
            process.wait()
    return Ended(seconds, "" if code == 0 else f"it exited with {code}")


@contextmanager
def _orphans_adopted() -> Iterator[None]:
    """Descendants whose own parents die become children, in whatever session they are."""
    if sys.platform != "linux":
        yield
        return
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0)


def _started_since(older: Sequence[psutil.Process]) -> list[psutil.Process]:
    """Children of this process that are not among ``older``, and all of their descendants."""
    found = []
    for child in psutil.Process().children():
        if child not in older:
            found.append(child)
            try:
                found += child.children(recursive=True)
            except psutil.NoSuchProcess:
                continue
    return found


def _kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=1.0)
