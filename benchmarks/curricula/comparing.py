"""Two arms side by side over seeds: by how much one is ahead, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.comparison import statistics

__all__ = ["Comparison", "compare", "improvement"]


@dataclass(frozen=True)
class Comparison:
    """One arm against a baseline.

    Attributes:
        mean, baseline: over the seeds of each.
        low, high: a bootstrap interval of 95 % for mean - baseline.
        improvement: how likely a run of the arm is better than one of the baseline.
    """

    mean: float
    baseline: float
    low: float
    high: float
    improvement: float

    @property
    def difference(self) -> float:
        """How far ahead the arm is on average."""
        return self.mean - self.baseline

    @property
    def verdict(self) -> Literal["wins", "loses", "unclear"]:
        """Which side of zero the interval lies on, if on one."""
        if self.low > 0:
            return "wins"
        return "loses" if self.high < 0 else "unclear"


def compare(arm: Sequence[float], baseline: Sequence[float]) -> Comparison:
    """Compare the results of an arm's seeds, one each, with those of a baseline's.

    The interval is a percentile bootstrap: both are resampled, independently of each other.

    Raises:
        ValueError: if either has no seeds.
    """
    own, other = _column(arm), _column(baseline)
    if not own.size or not other.size:
        raise ValueError(f"each arm must have a seed, but got {own.size} and {other.size} of them")
    rng = np.random.default_rng(0)
    low, high = statistics.interval(_means(own, rng) - _means(other, rng))
    return Comparison(
        mean=float(own.mean()),
        baseline=float(other.mean()),
        low=float(low),
        high=float(high),
        improvement=improvement(arm, baseline),
    )


def improvement(arm: Sequence[float], baseline: Sequence[float]) -> float:
    """The share of all pairs in which the arm is ahead, equal ones counted half."""
    return statistics.improvement(_column(arm), _column(baseline))


def _column(values: Sequence[float]) -> statistics.Floats:
    """Shape (seeds, 1): one result takes the place of the levels."""
    return np.asarray(values, float).reshape(-1, 1)


def _means(values: statistics.Floats, rng: np.random.Generator) -> statistics.Floats:
    draws = statistics.seed_draws(len(values), rng)
    return statistics.bootstrap(values, statistics.mean, draws)
