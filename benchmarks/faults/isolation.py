"""Running a scenario so that nothing of it is left, whatever state it ends in."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.faults.one import OUTCOME
from benchmarks.faults.outcome import Outcome
from benchmarks.faults.rows import Row

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 300.0
"""Seconds that a scenario may take; those that expect silence wait for it themselves."""

_OUTPUT = "output.txt"


@dataclass(frozen=True)
class Ran:
    """A scenario that was run.

    Attributes:
        outcome: what was seen; None if the scenario itself failed or ran out of time.
        seconds: how long it took.
        complaint: why there is no outcome, and the end of what it printed.
    """

    outcome: Outcome | None
    seconds: float
    complaint: str = ""


def run(row: Row) -> Ran:
    """Run a row's scenario in a session of its own, with a folder of its own for Ray's files."""
    # Short: Ray makes sockets in it, whose paths may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    begin = time.perf_counter()
    try:
        said = _session(row.number, folder)
        seconds = time.perf_counter() - begin
        try:
            return Ran(Outcome.read(folder / OUTCOME), seconds)
        except FileNotFoundError:
            output = (folder / _OUTPUT).read_text(encoding="utf-8", errors="replace")
            return Ran(None, seconds, f"{said}\n{output[-3000:]}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _session(number: str, folder: Path) -> str:
    """Start the scenario, wait for its end or for LIMIT, and end all of its processes."""
    command = [sys.executable, "-m", "benchmarks.faults.one", number, str(folder)]
    with open(folder / _OUTPUT, "wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=output, start_new_session=True
        )
        try:
            return f"it exited with {process.wait(LIMIT)}"
        except subprocess.TimeoutExpired:
            return f"it did not end within {LIMIT:.0f} s"
        finally:
            _end_session(process.pid)
            process.wait()


def _end_session(session: int) -> None:
    """End all processes of a session, those whose parents are dead included."""
    while found := [pid for pid in psutil.pids() if _lives_in(pid, session)]:
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.05)


def _lives_in(pid: int, session: int) -> bool:
    try:
        return os.getsid(pid) == session and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, PermissionError, psutil.Error):
        return False
