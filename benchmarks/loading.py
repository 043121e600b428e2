"""How long it takes until a run that has ended is there as frames, and how much memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.made_journal import write
from benchmarks.measure import Aim, Measurement
from benchmarks.setting import ROOT

_BOUNDARIES = 200
_MEMBERS = (10, 100, 1000)
_RESULTS = (1, 4)
_AIMS = {(1000, 1): Aim(3.0)}
_REPEATS = 5


def measure() -> Iterator[Measurement]:
    """Runs of several sizes, each loaded by new processes whose files lie in memory already."""
    for results in _RESULTS:
        for members in _MEMBERS:
            with TemporaryDirectory() as folder:
                journal = Path(folder) / "journal.jsonl"
                write(journal, members, _BOUNDARIES, results)
                size = journal.stat().st_size / 2**20
                taken, peaks = zip(*(_load(folder) for _ in range(_REPEATS)), strict=True)
            what = (
                f"{members} members × {_BOUNDARIES} boundaries with {results} "
                f"result{'s' if results > 1 else ''} each, {size:.0f} MiB: "
            )
            yield Measurement(what + "load", "s", taken, _AIMS.get((members, results)))
            yield Measurement(what + "peak of the process", "MiB", peaks)


def _load(run: str) -> tuple[float, float]:
    command = [sys.executable, "-m", "benchmarks.load_once", run]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    taken, peak = map(float, done.stdout.split())
    return taken, peak
