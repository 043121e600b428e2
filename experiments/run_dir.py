"""A run on disk: its places, the lock that keeps it to one writer, and how runs are found."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

RUNS = Path("runs")
LATEST = "latest"


class Busy(RuntimeError):
    """Another process holds the run."""


class NotARun(ValueError):
    """There is no run at that place."""


@dataclass(frozen=True)
class RunDir:
    """Paths of one run."""

    path: Path

    @property
    def experiment(self) -> Path:
        """The resolved experiment file."""
        return self.path / "experiment.yaml"

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.path / "journal.jsonl"

    @property
    def tune(self) -> Path:
        """What Tune and its loggers write, a folder for each start or resume."""
        return self.path / "tune"

    @property
    def lock(self) -> Path:
        """Held by the process that writes."""
        return self.path / ".lock"

    @property
    def exists(self) -> bool:
        """Whether a run was begun here."""
        return self.journal.exists()

    def next_leg(self) -> int:
        """Number of the next start or resume, from 1."""
        return len(list(self.tune.glob("leg-*"))) + 1

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run for writing. The lock of a dead process is free.

        Raises:
            Busy: if another process holds it.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.lock)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise Busy(f"{self.path}: another process is running this run") from None
        try:
            yield
        finally:
            lock.release()


def new_run_dir(name: str, now: datetime) -> RunDir:
    """A new directory under ``runs/``; a number is added where the name is taken."""
    stem = f"{name}-{now:%Y%m%d-%H%M%S}"
    RUNS.mkdir(exist_ok=True)
    for number in range(1, 1000):
        path = RUNS / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir()
        except FileExistsError:
            continue
        return RunDir(path.resolve())
    raise FileExistsError(f"{RUNS / stem} and 998 more names are taken")


def note_latest(run: RunDir) -> None:
    """Make ``latest`` mean this run (beside it, where runs are kept together)."""
    write_atomically(run.path.parent / LATEST, run.path.name + "\n")


def find_run(name: str) -> RunDir:
    """The run that ``name`` means: a path, a name under ``runs/``, or ``latest``.

    Raises:
        NotARun: saying what was looked at, and the nearest name that is a run.
    """
    if name == LATEST:
        return _latest()
    for path in (Path(name), RUNS / name):
        run = RunDir(path.resolve())
        if run.exists:
            return run
    path = Path(name)
    if path.is_dir():
        raise NotARun(f"{name}: a run must have a journal.jsonl, but this directory has none")
    known = [entry.name for entry in RUNS.glob("*") if RunDir(entry).exists]
    close = difflib.get_close_matches(path.name, known, n=1, cutoff=0.4)
    hint = f"; did you mean {RUNS / close[0]}?" if close else ""
    raise NotARun(f"{name}: must be a run's directory, but there is none{hint}")


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that readers see the old text or the new, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _latest() -> RunDir:
    pointer = RUNS / LATEST
    try:
        named = pointer.read_text().strip()
    except OSError:
        raise NotARun(f"latest: {pointer} must name a run, but there is no such file") from None
    run = RunDir((RUNS / named).resolve())
    if not run.exists:
        raise NotARun(f"latest: {pointer} names {named}, which is not a run (any more)")
    return run
