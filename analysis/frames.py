"""A run as frames: what its journal says, one row for each thing that happened.

Frames have the same columns and types whether or not anything happened. Iterations that a member
trained again, after a fault or a resume, stand in place of those before; so does all that was
seen or decided at them.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.finding import JOURNAL, NotARun, find, find_all
from analysis.history import History
from analysis.suite_levels import suite_levels
from analysis.tables import COLUMNS, frames_of, table
from orchestrator import holding, journal
from orchestrator.env_space import EnvSpace
from orchestrator.lines import Line, line_of
from orchestrator.records import Record, RunEnded, RunResumed, RunStarted, status

__all__ = ["COLUMNS", "NotARun", "Run", "load", "load_all", "run_of"]


@dataclass(frozen=True, eq=False)
class Run:
    """What happened in a run, as far as its journal goes.

    All frames but `levels` begin with ``arm``, ``seed``, ``member`` and ``iteration``: the training
    iterations that the member had behind it. All but `faults`, which are in the order they
    happened, are sorted by these.

    Attributes:
        name: the experiment's.
        path: the run's directory.
        space: the knobs of each arm, with their legal ranges.
        populations: every (arm, seed), in the order they began.
        arms: each arm of the resolved experiment file, as plain data; as it was at the last start.
        status: ``finished``, ``failed`` or ``stopped`` as it said at its end; without an end
            ``running`` if a process holds the run, else ``killed``.
        versions, command: of the last start.
        started, ended: UTC, ISO 8601; ``ended`` is None unless ``status`` is of an end.
        results: a row per training iteration. ``training_return`` is the mean return of the
            episodes that ended in it, NaN without any; ``env_steps`` counts all of the member's so
            far; ``seconds`` is what the iteration took.
        scores: a row per level that was played. ``suite`` is ``select`` or ``test``, ``return``
            and ``score`` (the aggregate over the suite's levels, the same in each of its rows) are
            NaN if they were not finite.
        mutations: a row per change of a member's env distribution, ``by`` whom and ``why``.
        lineage: a row per exploit: from here on the member is a changed copy of ``donor``, as it
            was saved at ``donor_iteration`` with ``donor_score``.
        checkpoints: a row per checkpoint; ``path`` is relative to the run, ``pruned`` whether it
            was removed (a best one is kept under ``best/`` even so).
        faults: what went wrong and the ``action`` taken. ``member`` is -1, and ``arm`` empty, for
            faults of the run as a whole; ``level`` is the level that caused it, or None.
        distributions: per revision of a member's distribution a row per knob, from revision 0 at
            iteration 0 on; the columns after ``knob`` are those of `analysis.drawn.Drawn`.
        hyperparameters: a row per searched key where a member begins (iteration 0) and where it
            goes on with others, after an exploit or from an older checkpoint of its own. ``value``
            is a JSON value, ``number`` the same as a float, NaN if it is no number.
        seconds: a row per part of a training iteration: the seconds that it took.
        levels: a row per knob of each level of the suites, which are the same for all seeds of an
            arm; ``number`` is ``value`` as a float: of cells how many are set, NaN if it is none.
    """

    name: str
    path: Path
    space: Mapping[str, EnvSpace] = field(repr=False)
    populations: tuple[tuple[str, int], ...]
    results: pd.DataFrame = field(repr=False)
    scores: pd.DataFrame = field(repr=False)
    mutations: pd.DataFrame = field(repr=False)
    lineage: pd.DataFrame = field(repr=False)
    checkpoints: pd.DataFrame = field(repr=False)
    faults: pd.DataFrame = field(repr=False)
    distributions: pd.DataFrame = field(repr=False)
    hyperparameters: pd.DataFrame = field(repr=False)
    seconds: pd.DataFrame = field(repr=False)
    levels: pd.DataFrame = field(repr=False)
    arms: Mapping[str, Mapping[str, Any]] = field(repr=False)
    status: str
    versions: Mapping[str, str] = field(repr=False)
    command: tuple[str, ...] = field(repr=False)
    started: str | None
    ended: str | None

    def of(self, arm: str | None = None, seed: int | None = None) -> Run:
        """The same run with the rows of one population only.

        Args:
            arm, seed: which population; may be left out where there is but one.

        Raises:
            ValueError: if these do not name one population.
        """
        found = [
            (name, number)
            for name, number in self.populations
            if arm in (None, name) and seed in (None, number)
        ]
        if len(found) != 1:
            known = ", ".join(f"({name!r}, {number})" for name, number in self.populations)
            raise ValueError(
                f"`arm` and `seed` must name one population, but {arm!r} and {seed!r} fit "
                f"{len(found)}; the run has {known or 'none yet'}"
            )
        name, number = found[0]
        strangers = self.faults["arm"] != name
        if len(self.populations) == len(self.arms) == 1 and not strangers.any():
            # There is nothing else in it.
            return self

        def own(frame: pd.DataFrame) -> pd.DataFrame:
            mine = frame["arm"] == name
            if "seed" in frame:
                mine &= frame["seed"] == number
            return frame[mine].reset_index(drop=True)

        frames: dict[str, Any] = {each: own(getattr(self, each)) for each in COLUMNS}
        return replace(
            self,
            populations=((name, number),),
            space={name: self.space[name]},
            arms={name: self.arms[name]},
            **frames,
        )


def load(path: str | Path) -> Run:
    """Read a run that has ended, goes on or was killed.

    Args:
        path: its directory, its name under ``runs/``, or ``latest``.

    Raises:
        NotARun: if there is no run; names the nearest one.
        orchestrator.journal.DamagedJournal: if a line of its journal cannot be read.
    """
    place = find(path)
    with _garbage_left():
        return _run(place, journal.blocks(place / JOURNAL), held=holding.is_held(place))


@contextmanager
def _garbage_left() -> Iterator[None]:
    """What is read has no cycles, and looking for some is a sixth of the time that it takes."""
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looked:
            gc.enable()


def load_all(runs: str | Path | Iterable[str | Path]) -> list[Run]:
    """Read several runs, in the order of their names.

    Args:
        runs: a pattern such as ``runs/*``, of which only what is a run is read; or paths as `load`
            takes them, in their order.

    Raises:
        NotARun: if there is none, or one of the paths is none.
        orchestrator.journal.DamagedJournal: if a line of a journal cannot be read.
    """
    return [load(place) for place in find_all(runs)]


def run_of(place: Path, records: Iterable[Record], *, held: bool = False) -> Run:
    """The run at ``place`` whose journal has these records."""
    return _run(place, [map(line_of, journal.lines_of(list(records)))], held=held)


def _run(place: Path, blocks: Iterable[Iterable[Line]], *, held: bool) -> Run:
    history = History()
    for block in blocks:
        history.take(block)
    landmarks = history.landmarks
    starts = [each for each in landmarks if isinstance(each, RunStarted | RunResumed)]
    began = next((each for each in starts if isinstance(each, RunStarted)), None)
    last = landmarks[-1] if landmarks else None
    return Run(
        name=place.name if began is None else began.name,
        path=place,
        space=history.space,
        populations=tuple(history.populations),
        arms=history.arms,
        status=status(landmarks, held=held),
        versions=starts[-1].versions if starts else {},
        command=starts[-1].command if starts else (),
        started=None if began is None else began.time,
        ended=last.time if isinstance(last, RunEnded) else None,
        levels=table("levels", suite_levels(history.arms, history.space)),
        **frames_of(history),
    )
