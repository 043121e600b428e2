"""How soon the command answers, and how soon a run trains beside a minimal stock Tuner script."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Aim, Measurement, repeated
from benchmarks.setting import QUICKSTART, ROOT
from benchmarks.stock_start import TRIALS
from orchestrator import journal, records

_HELP = Aim(0.3)
_ERRORS = Aim(0.5)
_TIMES_STOCK = Aim(1.15)
_ANSWERS = 9
_STARTS = 5
_ENVOLVE = ("-P", "-m", "experiments.cli")
_OF_RAY = ("RAY_", "TUNE_", "ENVOLVE_")

# Errors in three sections, none of which takes RLlib or the env to be seen.
_BROKEN = """\
envolve: 1
name: broken
env:
  id: CartPole
  knobs:
    length: {min: 0.25, high: 2.0}
population: {size: four}
stop: {iteration: 40}
"""

# No boundary before the first result, and no suite to be played at the end.
_OVERRIDES = (
    f"population.size={TRIALS}",
    "population.interval=2",
    "evaluation.test_levels=0",
    "stop.iterations=2",
)


def measure() -> Iterator[Measurement]:
    """New processes throughout, whose files lie in memory already."""
    with TemporaryDirectory() as folder:
        yield from _answers(Path(folder))
        yield from _starts(Path(folder))


def _answers(folder: Path) -> Iterator[Measurement]:
    """The whole life of processes that answer and end."""
    broken = folder / "broken.yaml"
    broken.write_text(_BROKEN, encoding="utf-8")
    yield _answer("envolve --help", 0, _HELP, "--help")
    for command in ("validate", "run"):
        what = f"envolve {command} of a file with errors in its schema"
        yield _answer(what, 2, _ERRORS, command, str(broken))


def _answer(what: str, code: int, aim: Aim, *arguments: str) -> Measurement:
    command = [*_ENVOLVE, *arguments]
    return Measurement(what, "s", repeated(lambda: python(command, code), _ANSWERS), aim)


def _starts(folder: Path) -> Iterator[Measurement]:
    """From a process's start to the first training result that it hears of, in turns."""
    _stock_start(folder / "stock-warm-up")
    _start(folder / "run-warm-up")
    stock: list[float] = []
    ours: list[float] = []
    for repeat in range(_STARTS):
        # As `alternated` does, for what cannot be timed from outside.
        first, second = (stock, _stock_start, "stock"), (ours, _start, "run")
        for taken, start, name in (second, first) if repeat % 2 else (first, second):
            taken.append(start(folder / f"{name}-{repeat}"))
    what = f"process start to the first training result, {TRIALS}"
    yield Measurement(f"stock: {what} trials of a minimal Tuner script", "s", tuple(stock))
    yield Measurement(f"envolve run: {what} members", "s", tuple(ours))
    ratios = tuple(own / other for own, other in zip(ours, stock, strict=True))
    yield Measurement("envolve run, times stock, pair by pair", "", ratios, _TIMES_STOCK)


def _start(run_dir: Path) -> float:
    overrides = [argument for each in _OVERRIDES for argument in ("--set", each)]
    begin = time.time()
    python([*_ENVOLVE, "run", str(QUICKSTART), "--run-dir", str(run_dir), *overrides], 0)
    return first_result(run_dir / "journal.jsonl") - begin


def _stock_start(folder: Path) -> float:
    begin = time.time()
    said = python(["-m", "benchmarks.stock_start", str(folder)], 0)
    # Tune's own words come before.
    return float(said.splitlines()[-1]) - begin


def first_result(path: Path) -> float:
    """When the first training result was journalled, in seconds since the epoch."""
    results = (each for each in journal.read(path) if isinstance(each, records.Result))
    return datetime.fromisoformat(next(results).time).timestamp()


def python(arguments: Sequence[str], code: int) -> str:
    """The output of a new Python, whose Ray knows nothing of what this process told its own.

    Raises:
        RuntimeError: unless it exits with ``code``.
    """
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(_OF_RAY)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != code:
        what = f"`python {' '.join(arguments)}` must exit with {code}"
        raise RuntimeError(f"{what}, but got {done.returncode}: {done.stderr}")
    return done.stdout
