"""Tests of whether two arms differ, of one number for each seed: seeds alone are independent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from analysis.comparison.statistics import Floats

__all__ = ["SIGNIFICANT", "holm", "least_mann_whitney_p", "mann_whitney", "seeds_needed", "welch"]

SIGNIFICANT = 0.05
POWER = 0.8

_ENUMERATED = 10_000
"""Ways to deal the seeds out to two arms up to which all of them are looked at."""


def welch(own: Floats, other: Floats) -> tuple[float, float]:
    """Welch's t-test, which does not take the variances to be equal; two-sided.

    Args:
        own: shape (seeds,).
        other: shape (other seeds,).

    Returns:
        t, positive where ``own`` is larger, and p; both NaN with fewer than two seeds on a side.
        Where no side varies at all, t is 0 and p 1 if they are equal, else infinite and 0.
    """
    if min(len(own), len(other)) < 2:
        return math.nan, math.nan
    deviations = float(own.std(ddof=1)), float(other.std(ddof=1))
    if max(deviations) == 0:
        gap = float(own.mean() - other.mean())
        return (0.0, 1.0) if gap == 0 else (math.copysign(math.inf, gap), 0.0)
    from scipy import stats  # takes half a second, which reading a run need not wait for

    # From the moments: scipy warns of a side that does not vary, which is common with returns.
    found = stats.ttest_ind_from_stats(
        own.mean(), deviations[0], len(own), other.mean(), deviations[1], len(other), False
    )
    return float(found.statistic), float(found.pvalue)


def mann_whitney(own: Floats, other: Floats) -> tuple[float, float]:
    """The rank test of Mann and Whitney; two-sided.

    Exact up to 10,000 ways to deal the seeds out, ties or not; else by the normal approximation,
    corrected for ties and continuity.

    Args:
        own: shape (seeds,).
        other: shape (other seeds,).

    Returns:
        U of ``own``: in how many pairs it is ahead, ties half; and p. Both are NaN with fewer than
        two seeds on a side.
    """
    if min(len(own), len(other)) < 2:
        return math.nan, math.nan
    from scipy import stats

    few = math.comb(len(own) + len(other), len(own)) <= _ENUMERATED
    tied = len(np.unique(np.concatenate([own, other]))) < len(own) + len(other)
    if not few:
        method: object = "asymptotic"
    elif tied:
        method = stats.PermutationMethod(n_resamples=_ENUMERATED)
    else:
        method = "exact"
    found = stats.mannwhitneyu(own, other, method=method)
    return float(found.statistic), float(found.pvalue)


def least_mann_whitney_p(seeds: int, other_seeds: int) -> float:
    """The smallest p that `mann_whitney` can give without ties, whatever the scores are."""
    return min(2 / math.comb(seeds + other_seeds, seeds), 1.0)


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values after Holm's correction (1979) for how many there are, in their order.

    Those that are NaN stay so, and do not count.
    """
    order = sorted(
        (place for place, p in enumerate(p_values) if not math.isnan(p)),
        key=lambda place: p_values[place],
    )
    corrected = [math.nan] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(order):
        largest = max(largest, min((len(order) - rank) * p_values[place], 1.0))
        corrected[place] = largest
    return corrected


def seeds_needed(own: Floats, other: Floats, comparisons: int) -> int | None:
    """About how many seeds each arm would need to show a difference as large as the one seen.

    By the normal approximation, with a power of 80 % at 5 % over the number of comparisons
    (Bonferroni), were the means and the variances of the seeds seen the true ones.

    Returns:
        None where there is no difference, or an arm has fewer than two seeds.
    """
    gap = float(own.mean() - other.mean())
    if gap == 0 or min(len(own), len(other)) < 2:
        return None
    normal = NormalDist()
    quantiles = normal.inv_cdf(1 - SIGNIFICANT / comparisons / 2) + normal.inv_cdf(POWER)
    variances = float(own.var(ddof=1) + other.var(ddof=1))
    return max(math.ceil(quantiles**2 * variances / gap**2), 2)
