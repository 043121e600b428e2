"""A run on disk: its places, the lock that keeps it to one writer, and how runs are found."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from experiments.journalled import file_text
from orchestrator import holding, journal
from orchestrator.atomic import replaced
from orchestrator.holding import Busy as Busy

RUNS = Path("runs")
LATEST = "latest"


class NotARun(ValueError):
    """There is no run at that place."""


class NotWritable(ValueError):
    """A run cannot be kept at that place."""


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
        """What Tune writes of itself, a folder for each start or resume."""
        return self.path / "tune"

    @property
    def lock(self) -> Path:
        """Held by the process that writes."""
        return self.path / holding.LOCK

    @property
    def exists(self) -> bool:
        """Whether a run was begun here."""
        return self.journal.exists()

    def next_leg(self) -> int:
        """Number of the next start or resume, from 1."""
        return len(list(self.tune.glob("leg-*"))) + 1

    def in_the_way(self) -> Path | None:
        """Where there is no run yet: something that a run would overwrite, or None.

        What a start that was killed left behind is not in the way: the lock tells it apart.
        """
        if self.path.exists() and not self.path.is_dir():
            return self.path
        if self.lock.exists():
            return None
        places = (self.experiment, self.tune, self.path / "members", self.path / "best")
        return next((place for place in places if place.exists()), None)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the run for writing. The lock of a dead process is free.

        A directory in which no run was begun in the meantime is removed again, unless it was
        there before or something else lies in it.

        Raises:
            Busy: if another process holds it.
            NotWritable: if the directory cannot be made or written.
        """
        with contextlib.ExitStack() as stack:
            try:
                ours = not self.path.exists() or list(self.path.iterdir()) == [self.lock]
                self.path.mkdir(parents=True, exist_ok=True)
                stack.enter_context(holding.held(self.path))
            except OSError as error:
                raise _not_writable(self.path, error) from error
            try:
                yield
            finally:
                if not self.exists and not self.experiment.exists():
                    self._vanish(directory=ours)

    def is_held(self) -> bool:
        """Whether some process is running the run now."""
        return holding.is_held(self.path)

    def _vanish(self, *, directory: bool) -> None:
        self.lock.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            if directory:
                self.path.rmdir()
                if self.path.parent == RUNS.resolve():
                    self.path.parent.rmdir()


def new_run_dir(name: str, now: datetime) -> RunDir:
    """A new directory under ``runs/``; a number is added where the name is taken.

    Raises:
        NotWritable: if it cannot be made.
    """
    stem = f"{name}-{now:%Y%m%d-%H%M%S}"
    for number in range(1, 1000):
        run = RunDir((RUNS / (stem if number == 1 else f"{stem}-{number}")).resolve())
        try:
            RUNS.mkdir(exist_ok=True)
            run.path.mkdir()
        except FileExistsError as error:
            if not RUNS.is_dir():
                raise _not_writable(RUNS, error) from error
            continue
        except OSError as error:
            raise _not_writable(run.path, error) from error
        # Marks it as ours, empty as it is.
        run.lock.touch()
        return run
    raise NotWritable(f"{RUNS / stem}: must be a free name, but it and 998 more are taken")


def note_latest(run: RunDir) -> None:
    """Make ``latest`` mean this run, wherever it is kept."""
    if run.path.parent == RUNS.resolve():
        write_atomically(RUNS / LATEST, run.path.name + "\n")
        return
    # A convenience, which a run kept elsewhere must not fail for.
    with contextlib.suppress(OSError):
        RUNS.mkdir(exist_ok=True)
        write_atomically(RUNS / LATEST, f"{run.path}\n")


def find_run(name: str) -> RunDir:
    """The run that ``name`` means: a path, a name under ``runs/``, or ``latest``.

    Raises:
        NotARun: saying what was looked at, and the nearest name that is a run.
        DamagedJournal: if its file is to be written from a journal that cannot be read.
    """
    if name == LATEST:
        return _whole(_latest())
    for path in (Path(name), RUNS / name):
        run = RunDir(path.resolve())
        if run.exists:
            return _whole(run)
    path = Path(name)
    if path.is_dir():
        raise NotARun(f"{name}: a run must have a journal.jsonl, but this directory has none")
    if path.is_file():
        raise NotARun(f"{name}: must be a run's directory, but it is a file; {_meant(path)}")
    known = [entry.name for entry in RUNS.glob("*") if RunDir(entry).exists]
    close = difflib.get_close_matches(path.name, known, n=1, cutoff=0.4)
    hint = f"; did you mean {RUNS / close[0]}?" if close else ""
    raise NotARun(f"{name}: must be a run's directory, but there is none{hint}")


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that readers see the old text or the new, never a part."""
    with replaced(path) as place:
        place.write_text(text, encoding="utf-8")


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


def _whole(run: RunDir) -> RunDir:
    """The run, with its experiment file: from the journal where it is missing."""
    if not run.experiment.is_file():
        text = file_text(journal.read(run.journal))
        if text is None:
            raise NotARun(f"{run.path}: a run must have an experiment.yaml, but this one has none")
        # Of a run that we may only read, most can be said without it.
        with contextlib.suppress(OSError):
            write_atomically(run.experiment, text)
    return run


def _meant(file: Path) -> str:
    if RunDir(file.parent).exists:
        return f"the run is {file.parent}"
    return f"`envolve run {file}` starts a run with it"


def _not_writable(path: Path, error: OSError) -> NotWritable:
    why = (error.strerror or str(error)).lower()
    return NotWritable(f"{path}: must be a directory that can be written, but {why}")
