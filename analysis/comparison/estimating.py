"""From the scores of arms' seeds to estimates: of each arm by itself, and of every two."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from analysis.comparison import curves, significance, statistics
from analysis.comparison.contenders import Contender
from analysis.comparison.curves import Curve
from analysis.comparison.statistics import Draws, Floats
from analysis.comparison.values import ArmResult, Estimate, Pair

__all__ = ["Sample", "arm_result", "common_curve_range", "compared_pairs", "interval"]


@dataclass(frozen=True, eq=False)
class Sample:
    """An arm's scores, and the seeds that each of its resamples is made of.

    Attributes:
        scores: shape (seeds, levels).
        draws: of `statistics.seed_draws`; the same for everything that is said of the arm.
    """

    contender: Contender
    scores: Floats = field(repr=False)
    draws: Draws = field(repr=False)

    @classmethod
    def of(cls, contender: Contender, rng: np.random.Generator) -> Sample:
        """Of the seeds that count, which are one at least."""
        scores = contender.scores
        return cls(contender, scores, statistics.seed_draws(len(scores), rng))

    @property
    def name(self) -> str:
        """The arm's, in the comparison."""
        return self.contender.name

    @cached_property
    def by_seed(self) -> Floats:
        """The IQM of each seed's levels, shape (seeds,)."""
        return statistics.by_seed(self.scores, "iqm")

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Of the seeds that count; none at all where one of them has none."""
        return self.contender.curves or ()

    @cached_property
    def iqms(self) -> Floats:
        """Of each resample, shape (resamples,)."""
        return statistics.bootstrap(self.scores, statistics.iqm, self.draws)

    def mean_of(self, values: Floats) -> Estimate:
        """The mean of one value for each seed."""
        column = values[:, None]
        resampled = statistics.bootstrap(column, statistics.mean, self.draws)
        return _estimate(float(values.mean()), resampled, self)


def arm_result(
    sample: Sample,
    alpha: float,
    threshold: float | None,
    common: tuple[float, float] | None,
) -> ArmResult:
    """What one arm came to.

    Args:
        threshold: of its curves, or None.
        common: env steps between which all curves of the comparison have a score, or None.
    """
    contender, scores = sample.contender, sample.scores
    reached = _reached(sample, threshold)
    return ArmResult(
        name=sample.name,
        seeds=tuple(seed.seed for seed in contender.counted),
        missing=contender.missing,
        levels=scores.shape[1],
        env_steps=float(np.mean([seed.env_steps for seed in contender.counted])),
        mean=sample.mean_of(scores.mean(axis=1)),
        iqm=_estimate(float(statistics.iqm(scores)), sample.iqms, sample),
        cvar=sample.mean_of(statistics.by_seed(scores, "cvar", alpha)),
        area=_area(sample, common),
        steps_to_threshold=None if reached is None else _steps(sample, reached),
        reached=None if reached is None else int(np.isfinite(reached).sum()),
    )


def common_curve_range(samples: Sequence[Sample]) -> tuple[float, float] | None:
    """The env steps between which all curves have a score; None if there are none."""
    if not all(sample.curves for sample in samples):
        return None
    return curves.common_range([curve for sample in samples for curve in sample.curves])


def compared_pairs(samples: Sequence[Sample], baseline: str | None) -> list[Pair]:
    """Every two arms, those named first first; or each other arm with the baseline.

    p-values are corrected over all of these pairs.
    """
    if baseline is None:
        chosen = list(itertools.combinations(samples, 2))
    else:
        chosen = [
            (own, other)
            for own in samples
            for other in samples
            if other.name == baseline and own is not other
        ]
    return list(_corrected([_pair(own, other) for own, other in chosen]))


def interval(resampled: Floats, *samples: Sample) -> tuple[Floats, Floats]:
    """As `statistics.interval`; NaN with a single seed, which does not say how seeds differ.

    Args:
        samples: those that the resamples are made of.
    """
    if any(len(sample.scores) < 2 for sample in samples):
        nothing = np.full(resampled.shape[1:], np.nan)
        return nothing, nothing
    return statistics.interval(resampled)


def _pair(own: Sample, other: Sample) -> Pair:
    gap = float(statistics.iqm(own.scores) - statistics.iqm(other.scores))
    improved = statistics.improvement_bootstrap(own.scores, other.scores, own.draws, other.draws)
    t, welch_p = significance.welch(own.by_seed, other.by_seed)
    u, mann_whitney_p = significance.mann_whitney(own.by_seed, other.by_seed)
    improvement = statistics.improvement(own.scores, other.scores)
    return Pair(
        arm=own.name,
        baseline=other.name,
        difference=_estimate(gap, own.iqms - other.iqms, own, other),
        improvement=_estimate(improvement, improved, own, other),
        welch_t=t,
        welch_p=welch_p,
        welch_holm=math.nan,
        mann_whitney_u=u,
        mann_whitney_p=mann_whitney_p,
        mann_whitney_holm=math.nan,
    )


def _corrected(pairs: Sequence[Pair]) -> Iterator[Pair]:
    welch = significance.holm([pair.welch_p for pair in pairs])
    mann_whitney = significance.holm([pair.mann_whitney_p for pair in pairs])
    for pair, one, other in zip(pairs, welch, mann_whitney, strict=True):
        yield replace(pair, welch_holm=one, mann_whitney_holm=other)


def _estimate(value: float, resampled: Floats, *samples: Sample) -> Estimate:
    low, high = interval(resampled, *samples)
    return Estimate(value, float(low), float(high))


def _area(sample: Sample, common: tuple[float, float] | None) -> Estimate | None:
    if common is None:
        return None
    return sample.mean_of(np.array([curve.area(*common) for curve in sample.curves]))


def _reached(sample: Sample, threshold: float | None) -> Floats | None:
    """The env steps at which each seed reached it, infinite if never; None if it is not asked."""
    if threshold is None or not sample.curves:
        return None
    return np.array([curve.first_reached(threshold) for curve in sample.curves])


def _steps(sample: Sample, reached: Floats) -> Estimate | None:
    median = float(np.median(reached))
    if math.isinf(median):
        return None
    resampled = statistics.bootstrap(reached[:, None], curves.median_steps, sample.draws)
    return _estimate(median, resampled, sample)
