"""How well a population did after how many env steps: learning curves.

The env steps are those of the whole population, so that populations of different size compare at
equal cost. Between two boundaries a curve holds its last score, since nothing else was seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from analysis.comparison.statistics import Floats

__all__ = ["Curve", "common_range", "learning_curve", "median_steps", "on_grid", "teams"]

_POINTS = 101
"""Of a common grid."""

_TWO_TEAMS = ("paired", "flexible_paired")


@dataclass(frozen=True)
class Curve:
    """The learning curve of one population.

    Attributes:
        steps: env steps spent so far at each of its boundaries, ascending; shape (boundaries,).
        scores: the best score on the select suite among its members as they stand then.
    """

    steps: Floats = field(repr=False)
    scores: Floats = field(repr=False)

    def at(self, steps: Floats) -> Floats:
        """The scores that hold at these env steps, none of which is before the first boundary."""
        held: Floats = self.scores[np.searchsorted(self.steps, steps, side="right") - 1]
        return held

    def area(self, low: float, high: float) -> float:
        """The mean score between two numbers of env steps: the area below, by its width."""
        inside = self.steps[(self.steps > low) & (self.steps < high)]
        edges = np.concatenate([[low], inside, [high]])
        return float((self.at(edges[:-1]) * np.diff(edges)).sum() / (high - low))

    def first_reached(self, threshold: float) -> float:
        """The env steps at the first boundary with at least this score; infinite if never."""
        reached = np.flatnonzero(self.scores >= threshold)
        return float(self.steps[reached[0]]) if len(reached) else math.inf


def learning_curve(results: pd.DataFrame, scores: pd.DataFrame, teams: int = 1) -> Curve | None:
    """The curve of one population; None if no member of it was ever scored.

    At each boundary every member counts with its newest score up to there; one that is not finite
    is passed over. Members that do not wait for each other are compared at equal iterations.

    Args:
        results: its rows of a run's `results`.
        scores: its rows of a run's `scores` on the select suite.
        teams: in how many envs it steps at once for each env step that is counted.
    """
    scored = scores.drop_duplicates(["member", "iteration"]).dropna(subset="score")
    if scored.empty or results.empty:
        return None
    best = scored.pivot(index="iteration", columns="member", values="score").ffill().max(axis=1)
    spent = results.pivot(index="iteration", columns="member", values="env_steps")
    steps = spent.reindex(spent.index.union(best.index)).ffill().fillna(0).sum(axis=1)
    counted = steps.loc[best.index].to_numpy(dtype=float) * teams
    return Curve(counted, best.to_numpy(dtype=float))


def teams(arm: Mapping[str, Any]) -> int:
    """In how many envs an arm steps at once for each env step that is counted.

    PAIRED plays each level with two teams, each in an env of its own.

    Args:
        arm: plain data of the resolved experiment file.
    """
    return 2 if arm.get("curriculum", {}).get("kind") in _TWO_TEAMS else 1


def common_range(curves: Sequence[Curve]) -> tuple[float, float] | None:
    """The env steps between which there is a score of every curve; None if there are none."""
    low = max((float(curve.steps[0]) for curve in curves), default=math.inf)
    high = min((float(curve.steps[-1]) for curve in curves), default=-math.inf)
    return (low, high) if low < high else None


def on_grid(curves: Sequence[Curve]) -> tuple[Floats, Floats] | None:
    """All curves at the same env steps, from where all have begun to where all still go on.

    Returns:
        env steps, shape (points,), and scores, shape (curves, points); None if the curves have no
        env steps in common.
    """
    found = common_range(curves)
    if found is None:
        return None
    steps = np.linspace(*found, _POINTS)
    return steps, np.array([curve.at(steps) for curve in curves])


def median_steps(steps: Floats) -> Floats:
    """The median over seeds; (..., seeds, 1) to (...). Infinite if half of them or more are."""
    medians: Floats = np.median(steps, axis=(-2, -1))
    return medians
