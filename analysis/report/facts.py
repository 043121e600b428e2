"""What a report says of a run beside its members: who is best, what was kept, its file.

From its frames; but for the experiment file and the best checkpoints, which lie beside its
journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from analysis.ancestry import best_member
from analysis.frames import Run
from analysis.members import told_ancestry
from analysis.report.members import last
from analysis.report.wording import choice, drawn
from orchestrator import checkpoints
from orchestrator.frozen import text
from orchestrator.knobs import Choice, Integer, Knob, Simplex, ranged
from orchestrator.retention import BEST
from orchestrator.suites import SELECT, TEST

EXPERIMENT = "experiment.yaml"

_MARK = 8

_Drawn = tuple[float, float, Mapping[str, float] | None]


@dataclass(frozen=True)
class Bar:
    """A range within the legal one: shares of its width, on the knob's own scale."""

    low: float
    high: float


@dataclass(frozen=True)
class Change:
    """How a knob was drawn at first, and in the end.

    Attributes:
        legal, start, now: in words.
        bars: the same as shares of the legal range; None where a knob is not drawn by a range.
    """

    knob: str
    legal: str
    start: str
    now: str
    bars: tuple[Bar, Bar] | None


@dataclass(frozen=True)
class Best:
    """The member of a population to be taken, and what its env distribution came to.

    Attributes:
        iteration: where it was at its best.
        origin: the member that its line of weights began as.
        score, test: on the suites, at that iteration; None without one that is finite.
        suite: ``test``; ``select`` where the test suite was not played.
        returns: on each level of that suite.
        changes: from the start of that line until then.
    """

    arm: str
    seed: int
    member: int
    iteration: int
    origin: int
    score: float | None
    test: float | None
    suite: str
    returns: tuple[float, ...]
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Kept:
    """A checkpoint under ``best/``.

    Attributes:
        place: relative to the run.
        whole: whether every byte is as it was saved.
    """

    place: str
    arm: str
    seed: int
    member: int
    iteration: int
    score: float | None
    digest: str
    whole: bool


def best(run: Run) -> Best | None:
    """The member whose checkpoint played the test suite, else the one with the best score.

    None before any has a score.

    Args:
        run: of one population.
    """
    ((arm, seed),) = run.populations
    tested = run.scores[run.scores["suite"] == TEST]
    if not tested.empty:
        member, iteration = int(tested["member"].iloc[0]), int(tested["iteration"].iloc[0])
    elif run.scores["score"].notna().any():
        member, iteration = best_member(run, arm, seed)
    else:
        return None
    line = told_ancestry(run, member, iteration)
    origin = member if line is None else int(line.segments["member"].iloc[0])
    played = run.scores[(run.scores["member"] == member) & (run.scores["iteration"] == iteration)]
    select, test = (played[played["suite"] == suite] for suite in (SELECT, TEST))
    return Best(
        arm=arm,
        seed=seed,
        member=member,
        iteration=iteration,
        origin=origin,
        score=last(select["score"]),
        test=last(test["score"]),
        suite=SELECT if test.empty else TEST,
        returns=tuple((select if test.empty else test)["return"]),
        changes=() if line is None else _changes(run.space[arm].knobs, line.distributions),
    )


def kept(run: Run) -> list[Kept]:
    """The checkpoints under ``best/``, best first, each compared with the journal's digest."""
    folder = run.path / BEST
    # The name of each ends with the digest's first digits.
    known = {str(row["digest"])[:_MARK]: row for row in run.checkpoints.to_dict("records")}
    places = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [
        _kept(run.path, place, known[place.name[-_MARK:]])
        for place in places
        if place.name[-_MARK:] in known
    ]
    return sorted(found, key=lambda each: (each.score is None, -(each.score or 0.0), each.place))


def experiment_text(run: Run) -> str:
    """The run's experiment file as it is; without one, what the journal says, as YAML."""
    try:
        return (run.path / EXPERIMENT).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        arms = {name: dict(arm) for name, arm in run.arms.items()}
        written: str = yaml.safe_dump(arms, sort_keys=False, allow_unicode=True)
        return f"# There is no such file (any more). The journal says of each arm:\n{written}"


def _changes(knobs: Mapping[str, Knob], along: pd.DataFrame) -> tuple[Change, ...]:
    """Of each knob the first and the last way in which it was drawn.

    Args:
        along: `analysis.Ancestry.distributions`.
    """
    before, after = (_by_knob(along.drop_duplicates("knob", keep=end)) for end in ("first", "last"))
    return tuple(
        Change(
            knob=name,
            legal=_legal(knob),
            start=drawn(*before[name]),
            now=drawn(*after[name]),
            bars=_bars(knob, before[name], after[name]),
        )
        for name, knob in knobs.items()
        if name in before
    )


def _by_knob(rows: pd.DataFrame) -> dict[str, _Drawn]:
    columns = (rows[name] for name in ("knob", "low", "high", "weights"))
    return {knob: (low, high, weights) for knob, low, high, weights in zip(*columns, strict=True)}


def _legal(knob: Knob) -> str:
    numbers = ranged(knob)
    if numbers is not None:
        return drawn(numbers.low, numbers.high, None)
    if isinstance(knob, Choice):
        return " · ".join(choice(text(value)) for value in knob.values)
    assert isinstance(knob, Simplex)
    return " · ".join(choice(term) for term in knob.terms)


def _bars(knob: Knob, before: _Drawn, after: _Drawn) -> tuple[Bar, Bar] | None:
    numbers = ranged(knob)
    if numbers is None:
        return None
    whole = int if isinstance(numbers, Integer) else float
    start, now = (
        Bar(low=numbers.to_unit(whole(low)), high=numbers.to_unit(whole(high)))
        for low, high, _ in (before, after)
    )
    return start, now


def _kept(run_dir: Path, place: Path, row: Mapping[Any, Any]) -> Kept:
    try:
        checkpoints.verify(place, row["digest"])
        whole = True
    except (checkpoints.Damaged, OSError):
        whole = False
    return Kept(
        place=place.relative_to(run_dir).as_posix(),
        arm=row["arm"],
        seed=int(row["seed"]),
        member=int(row["member"]),
        iteration=int(row["iteration"]),
        score=None if pd.isna(row["score"]) else float(row["score"]),
        digest=row["digest"],
        whole=whole,
    )
