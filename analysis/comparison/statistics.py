"""Figures of an arm's scores, and how far they would move with other seeds.

Scores are an array of shape (seeds, levels): what each seed's policy returned on each level of a
suite. A `Statistic` takes any leading axes before these two and keeps them, so that it works on
all resamples of a bootstrap at once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from orchestrator.scoring import Aggregate, aggregate

__all__ = [
    "CONFIDENCE", "RESAMPLES", "Draws", "Floats", "Statistic", "ahead", "bootstrap",
    "bootstrap_by_level", "by_seed", "cvar", "improvement", "improvement_bootstrap", "interval",
    "iqm", "mean", "profile", "seed_draws",
]  # fmt: skip

Floats = NDArray[np.float64]
Draws = NDArray[np.int64]
Statistic = Callable[[Floats], Floats]
"""From (..., seeds, levels) to (...) or (..., n)."""

RESAMPLES = 10_000
CONFIDENCE = 0.95

_BATCH = 2_000_000
"""Numbers of resamples that are held in memory at a time."""


# Figures


def mean(scores: Floats) -> Floats:
    """The mean over seeds and levels; (..., seeds, levels) to (...)."""
    means: Floats = scores.mean(axis=(-2, -1))
    return means


def iqm(scores: Floats) -> Floats:
    """The interquartile mean over seeds and levels; (..., seeds, levels) to (...).

    All seeds × levels are sorted together, and a quarter is cut off either end, whole entries
    alone (Agarwal et al. 2021, arXiv 2108.13264): a trimmed mean of 25 %.
    """
    ordered = np.sort(scores.reshape(*scores.shape[:-2], -1), axis=-1)
    cut = ordered.shape[-1] // 4
    means: Floats = ordered[..., cut : ordered.shape[-1] - cut].mean(axis=-1)
    return means


def by_seed(scores: Floats, kind: Aggregate, alpha: float = 0.25) -> Floats:
    """One number for each seed, an aggregate of its levels; (seeds, levels) to (seeds,)."""
    return np.array([aggregate(levels, kind, alpha) for levels in scores.tolist()])


def cvar(scores: Floats, alpha: float = 0.25) -> float:
    """The mean over seeds of each seed's mean over its own worst share ``alpha`` of the levels.

    So the worst levels are each policy's own, and an arm is not spared the worst seed.

    Args:
        scores: shape (seeds, levels).
        alpha: in (0, 1].
    """
    return float(by_seed(scores, "cvar", alpha).mean())


def ahead(scores: Floats, baseline: Floats) -> Floats:
    """On what share of the levels each seed is ahead of each of the baseline's, ties half.

    Args:
        scores: shape (seeds, levels).
        baseline: shape (other seeds, levels), on the same levels.

    Returns:
        shape (seeds, other seeds).
    """
    own, other = scores[:, None, :], baseline[None, :, :]
    shares: Floats = ((own > other) + 0.5 * (own == other)).mean(axis=-1)
    return shares


def improvement(scores: Floats, baseline: Floats) -> float:
    """The probability of improvement: P(X > Y) + P(X = Y) / 2 on each level, averaged over levels.

    X and Y are what a seed drawn at random returns there (Agarwal et al. 2021, arXiv 2108.13264):
    the U of Mann and Whitney over the number of pairs. Shapes as in `ahead`.
    """
    return float(ahead(scores, baseline).mean())


def profile(scores: Floats, thresholds: Floats) -> Floats:
    """The share of each seed's levels whose return is above each threshold.

    Its mean over seeds is the arm's performance profile, a score distribution (Agarwal et al.
    2021, arXiv 2108.13264).

    Args:
        scores: shape (seeds, levels).
        thresholds: shape (thresholds,).

    Returns:
        shape (seeds, thresholds).
    """
    ordered = np.sort(scores, axis=-1)
    below = [np.searchsorted(levels, thresholds, side="right") for levels in ordered]
    shares: Floats = 1.0 - np.array(below) / scores.shape[-1]
    return shares


# Bootstrap


def seed_draws(seeds: int, rng: np.random.Generator, resamples: int = RESAMPLES) -> Draws:
    """Which seeds each resample is made of: as many as there are, with replacement.

    Arms are drawn one by one, each from its own seeds: the bootstrap is stratified by arm.

    Returns:
        indices, shape (resamples, seeds).
    """
    return rng.integers(seeds, size=(resamples, seeds))


def bootstrap(scores: Floats, statistic: Statistic, draws: Draws) -> Floats:
    """A statistic of each resample, whose seeds are taken whole, with all of their levels.

    One policy plays all levels of a seed, so that these are not independent of each other:
    drawing each level's seeds anew, as `bootstrap_by_level` does, would average a seed's luck
    away over the levels, and the intervals would come out too narrow.

    Args:
        scores: shape (seeds, levels).
        draws: of `seed_draws`, shape (resamples, seeds).

    Returns:
        shape (resamples,), or (resamples, n) where the statistic has n values.
    """
    size = max(_BATCH // scores.size, 1)
    parts = range(0, len(draws), size)
    return np.concatenate([statistic(scores[draws[at : at + size]]) for at in parts])


def bootstrap_by_level(
    scores: Floats, statistic: Statistic, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Floats:
    """A statistic of each resample, in which the seeds of each level are drawn by themselves.

    This is the bootstrap of ``rliable``, stratified by task: right for tasks that are trained
    apart, one run each, as the games of Atari are. Levels of a suite are played by one and the
    same policy: use `bootstrap` for them. Here to be compared with figures made by ``rliable``.

    Args:
        scores: shape (seeds, levels).

    Returns:
        shape (resamples,), or (resamples, n) where the statistic has n values.
    """
    seeds, levels = scores.shape
    size = max(_BATCH // scores.size, 1)
    parts = []
    for at in range(0, resamples, size):
        drawn = rng.integers(seeds, size=(min(size, resamples - at), seeds, levels))
        parts.append(statistic(scores[drawn, np.arange(levels)]))
    return np.concatenate(parts)


def improvement_bootstrap(
    scores: Floats, baseline: Floats, draws: Draws, baseline_draws: Draws
) -> Floats:
    """`improvement` of each resample, as `bootstrap`; shape (resamples,)."""
    shares = ahead(scores, baseline)
    means: Floats = shares[draws[:, :, None], baseline_draws[:, None, :]].mean(axis=(1, 2))
    return means


def interval(values: ArrayLike, confidence: float = CONFIDENCE) -> tuple[Floats, Floats]:
    """The percentile interval of resampled values: as much is left out below as above.

    Args:
        values: shape (resamples,) or (resamples, n); may be infinite, not NaN.

    Returns:
        the ends, of shape () or (n,).
    """
    resampled = np.asarray(values, dtype=float)
    # Between two values an infinite one has no middle with any other: one of the two is taken.
    method = "linear" if np.isfinite(resampled).all() else "inverted_cdf"
    ends = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.quantile(resampled, ends, axis=0, method=method)  # type: ignore[call-overload]
    return low, high
