"""A run as frames: what its journal says, one row for each thing that happened.

Frames have the same columns and types whether or not anything happened. Iterations that a member
trained again, after a fault or a resume, stand in place of those before; so does all that was
seen or decided at them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.history import History
from orchestrator import journal
from orchestrator.env_space import EnvSpace
from orchestrator.records import Record

RUNS = Path("runs")
JOURNAL = "journal.jsonl"
LATEST = "latest"

_WHO = {"arm": "str", "seed": "int64", "member": "int64", "iteration": "int64"}
_RESULTS = _WHO | {"training_return": "float64", "env_steps": "int64", "seconds": "float64"}
_SCORES = _WHO | {"suite": "str", "level": "int64", "return": "float64", "score": "float64"}
_MUTATIONS = _WHO | {"revision": "int64", "by": "str", "why": "str"}
_LINEAGE = _WHO | {"donor": "int64", "donor_iteration": "int64", "donor_score": "float64"}
_CHECKPOINTS = _WHO | {"path": "str", "digest": "str", "score": "float64", "pruned": "bool"}
_FAULTS = _WHO | {"where": "str", "error": "str", "action": "str", "level": "object"}
_DISTRIBUTIONS = _WHO | {
    "revision": "int64",
    "knob": "str",
    "low": "float64",
    "high": "float64",
    "weights": "object",
    "spread": "float64",
}


class NotARun(ValueError):
    """There is no run at that place."""


@dataclass(frozen=True, eq=False)
class Run:
    """What happened in a run, as far as its journal goes.

    All frames begin with ``arm``, ``seed``, ``member`` and ``iteration``: the training iterations
    that the member had behind it. All but `faults`, which are in the order they happened, are
    sorted by these.

    Attributes:
        name: the experiment's.
        path: the run's directory.
        space: the knobs of each arm, with their legal ranges.
        populations: every (arm, seed), in the order they began.
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


def load(path: str | Path) -> Run:
    """Read a run that has ended, goes on or was killed.

    Args:
        path: its directory, its name under ``runs/``, or ``latest``.

    Raises:
        NotARun: if there is no run; names the nearest one.
        orchestrator.journal.DamagedJournal: if a line of its journal cannot be read.
    """
    place = _find(Path(path))
    return run_of(place, journal.read(place / JOURNAL))


def run_of(place: Path, records: Iterable[Record]) -> Run:
    """The run at ``place`` whose journal has these records."""
    history = History()
    for record in records:
        history.take(record)
    return Run(
        name=history.name or place.name,
        path=place,
        space=history.space,
        populations=tuple(history.populations),
        results=_frame(_RESULTS, history.results()),
        scores=_frame(_SCORES, history.scores()),
        mutations=_frame(_MUTATIONS, history.mutations()),
        lineage=_frame(_LINEAGE, history.lineage()),
        checkpoints=_frame(_CHECKPOINTS, history.checkpoints()),
        faults=_table(_FAULTS, history.faults()),
        distributions=_frame(_DISTRIBUTIONS, history.distributions()),
    )


def _frame(columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    table = _table(columns, rows)
    # A stable sort: rows of one iteration stay in the order they happened.
    return table.sort_values(list(_WHO), kind="stable", ignore_index=True)


def _table(columns: Mapping[str, str], rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    cells = list(zip(*rows, strict=True)) or [()] * len(columns)
    named = {name: list(column) for name, column in zip(columns, cells, strict=True)}
    return pd.DataFrame(named, dtype="object").astype(dict(columns))


def _find(path: Path) -> Path:
    for place in (path, RUNS / path):
        if place.name == LATEST and place.is_file():
            place = place.parent / place.read_text(encoding="utf-8").strip()  # noqa: PLW2901
        if (place / JOURNAL).is_file():
            return place.resolve()
    if path.is_dir():
        raise NotARun(f"{path}: a run must have a {JOURNAL}, but this directory has none")
    if path.name == JOURNAL and path.is_file():
        raise NotARun(f"{path}: must be a run's directory, which is {path.parent}")
    known = {
        journal_file.parent.name: journal_file.parent
        for folder in (RUNS, path.parent)
        for journal_file in folder.glob(f"*/{JOURNAL}")
    }
    close = difflib.get_close_matches(path.name, known, n=1, cutoff=0.4)
    hint = f"; did you mean {known[close[0]]}?" if close else ""
    raise NotARun(f"{path}: must be a run's directory, but there is none{hint}")
