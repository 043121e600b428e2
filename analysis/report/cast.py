"""Who stands out in the charts of one population, and how each of its members looks there."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pandas as pd

from analysis.ancestry import Ancestry, best_member
from analysis.frames import Run
from analysis.members import boundary_scores, last_iterations, told_ancestry
from analysis.report.charts import Look, look
from orchestrator.suites import SELECT

STAND_OUT = 7
"""So many members are coloured and named, of more than that: the best one, those that end best,
and the nearest ancestors of the best. The others are grey."""

_AHEAD = 3
_SHOWN = 40
_POINTS = 300
_FEWEST_POINTS = 24
_BACKGROUND_POINTS = 6000
_FEWEST_BACKGROUND_POINTS = 400


@dataclass(frozen=True, eq=False)
class Cast:
    """One population, as its charts need it.

    Attributes:
        run: that population's alone.
        among: how many populations share the file.
        until: the last iteration of each member.
        scores: of each member and boundary the score on the select suite.
        best: the member with the best score of all, and at which iteration; None without scores.
        ancestry: what trained the best member until then; None without scores, or where that
            cannot be told.
        looks: of the members that stand out, ascending.
        background: the other members, ascending.
        points: at most so many on the line of a member that stands out.
        background_points: at most so many on all other members' lines together.
    """

    run: Run
    among: int
    until: dict[int, int]
    scores: pd.DataFrame = field(repr=False)
    best: tuple[int, int] | None
    ancestry: Ancestry | None = field(repr=False)
    looks: dict[int, Look]
    background: tuple[int, ...]
    points: int
    background_points: int

    @property
    def end(self) -> int:
        """The last iteration of any member."""
        return max(self.until.values(), default=0)

    @property
    def everyone(self) -> str:
        """All members, in words that a sentence can begin with."""
        if len(self.until) == 1:
            return f"m{next(iter(self.until))}"
        return "All members together"


@dataclass(frozen=True)
class Shown:
    """Which populations of a run are looked at one by one.

    Attributes:
        populations: (arm, seed) of each.
        left_out: a sentence about the others; empty if there are none.
    """

    populations: tuple[tuple[str, int], ...]
    left_out: str = ""


def shown(run: Run) -> Shown:
    """All populations, or of very many the best ones of each arm."""
    if len(run.populations) <= _SHOWN:
        return Shown(run.populations)
    played = run.scores[run.scores["suite"] == SELECT]
    best = played.groupby(["arm", "seed"])["score"].max().to_dict()
    of_arms = [
        sorted(
            (each for each in run.populations if each[0] == arm),
            key=lambda each: -best.get(each, float("-inf")),
        )
        for arm in dict.fromkeys(arm for arm, _ in run.populations)
    ]
    in_turn = [each for row in itertools.zip_longest(*of_arms) for each in row if each is not None]
    kept = set(in_turn[:_SHOWN])
    return Shown(
        populations=tuple(each for each in run.populations if each in kept),
        left_out=(
            f"{len(run.populations) - _SHOWN} of {len(run.populations)} populations are left out "
            "here: of each arm, those whose best member scores lowest."
        ),
    )


def cast(run: Run, among: int = 1) -> Cast:
    """The members of a run's only population.

    Args:
        run: of one population.
        among: how many populations share the file; of each the less is drawn, the more they are.

    Raises:
        ValueError: if the run has not exactly one population.
    """
    run = run.of()
    scores = boundary_scores(run)[["member", "iteration", "score"]]
    until = last_iterations(run)
    best = best_member(run) if scores["score"].notna().any() else None
    descent = None if best is None else told_ancestry(run, *best)
    ancestors = [] if descent is None else descent.segments["member"].to_list()[::-1]
    ahead = list(last_scores(scores))
    first = dict.fromkeys([*ancestors[:1], *ahead[:_AHEAD], *ancestors, *ahead, *until])
    named = sorted(list(first)[:STAND_OUT])
    return Cast(
        run=run,
        among=among,
        until=until,
        scores=scores,
        best=best,
        ancestry=descent,
        looks={member: look(index) for index, member in enumerate(named)},
        background=tuple(member for member in until if member not in named),
        points=max(_POINTS // among, _FEWEST_POINTS),
        background_points=max(_BACKGROUND_POINTS // among, _FEWEST_BACKGROUND_POINTS),
    )


def last_scores(scores: pd.DataFrame) -> dict[int, float]:
    """The newest score of each scored member, best first."""
    newest = scores.drop_duplicates("member", keep="last").dropna(subset="score")
    ordered = newest.sort_values("score", ascending=False, kind="stable")
    return dict(zip(ordered["member"].to_list(), ordered["score"].to_list(), strict=True))
