"""Tests of a difference, by hand and by scipy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.comparison.significance import (
    holm,
    least_mann_whitney_p,
    mann_whitney,
    seeds_needed,
    welch,
)

NUMBERS = st.lists(st.integers(-9, 9).map(float), min_size=2, max_size=6)


def test_welch_by_hand() -> None:
    # Means 3 and 2, variances 1 and 4 over three: t = 1 / sqrt(1/3 + 4/3).
    t, p = welch(np.array([2.0, 3.0, 4.0]), np.array([0.0, 2.0, 4.0]))
    assert t == pytest.approx(1 / math.sqrt(5 / 3))
    # Welch and Satterthwaite: (5/3)² / ((1/3)²/2 + (4/3)²/2) degrees of freedom.
    freedom = (5 / 3) ** 2 / ((1 / 9 + 16 / 9) / 2)
    assert p == pytest.approx(2 * stats.t.sf(t, freedom))


@given(NUMBERS, NUMBERS)
def test_welch_is_that_of_scipy(own: list[float], other: list[float]) -> None:
    if min(len(set(own)), len(set(other))) > 1:
        found = stats.ttest_ind(own, other, equal_var=False)
        assert welch(np.array(own), np.array(other)) == pytest.approx(
            (found.statistic, found.pvalue)
        )


def test_welch_of_sides_that_do_not_vary() -> None:
    same, other = np.array([500.0, 500.0, 500.0]), np.array([499.0, 499.0])
    assert welch(same, same) == (0.0, 1.0)
    assert welch(same, other) == (math.inf, 0.0)
    assert welch(other, same) == (-math.inf, 0.0)
    # One side that varies is enough: (500 - 300) / sqrt(20000 / 2).
    t, p = welch(same, np.array([200.0, 400.0]))
    assert (t, 0 < p < 1) == (2.0, True)


def test_a_single_seed_has_no_test() -> None:
    for test in (welch, mann_whitney):
        assert all(math.isnan(each) for each in test(np.array([1.0]), np.array([1.0, 2.0])))


def test_mann_whitney_by_hand() -> None:
    # Ahead in 8 of 9 pairs. Of the 20 ways to deal six ranks out, 2 are at least as far up,
    # and as many as far down.
    u, p = mann_whitney(np.array([3.0, 5.0, 6.0]), np.array([1.0, 2.0, 4.0]))
    assert (u, p) == (8.0, pytest.approx(4 / 20))


def test_mann_whitney_is_exact_with_ties() -> None:
    # Of the ten ways to deal 1, 1, 2, 2, 2 out, one has both ones on the side of two.
    u, p = mann_whitney(np.array([1.0, 1.0]), np.array([2.0, 2.0, 2.0]))
    assert (u, p) == (0.0, pytest.approx(2 * 1 / 10))
    assert mann_whitney(np.array([1.0, 1.0]), np.array([1.0, 1.0]))[1] == 1.0


@given(NUMBERS, NUMBERS)
@settings(max_examples=50)
def test_mann_whitney_looks_at_every_way_to_deal_the_seeds_out(
    own: list[float], other: list[float]
) -> None:
    pooled, size = np.array(own + other), len(own)

    def u_of(places: tuple[int, ...]) -> float:
        mine, rest = pooled[list(places)], np.delete(pooled, places)
        ahead = np.subtract.outer(mine, rest)
        return float((ahead > 0).sum() + 0.5 * (ahead == 0).sum())

    every = np.array([u_of(each) for each in itertools.combinations(range(len(pooled)), size)])
    seen = u_of(tuple(range(size)))
    two_sided = min(2 * min((every <= seen).mean(), (every >= seen).mean()), 1.0)
    assert mann_whitney(np.array(own), np.array(other)) == pytest.approx((seen, two_sided))


def test_mann_whitney_of_many_seeds_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    own, other = rng.normal(size=12), rng.normal(0.5, size=14)
    found = stats.mannwhitneyu(own, other, method="asymptotic")
    assert mann_whitney(own, other) == pytest.approx((found.statistic, found.pvalue))


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_the_least_p_of_mann_whitney_is_that_of_arms_that_do_not_overlap(seeds: int) -> None:
    above, below = np.arange(10.0, 10.0 + seeds), np.arange(float(seeds))
    assert mann_whitney(above, below)[1] == pytest.approx(least_mann_whitney_p(seeds, seeds))


def test_three_seeds_against_three_cannot_be_told_apart_by_ranks() -> None:
    assert least_mann_whitney_p(3, 3) == pytest.approx(0.1)


def test_holm_by_hand() -> None:
    # 0.01 × 4, 0.02 × 3, then 0.03 × 2 (the same), then 0.04, which must not be below.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_passes_over_what_could_not_be_tested() -> None:
    first, nothing, second = holm([0.01, math.nan, 0.04])
    assert (first, second) == pytest.approx((0.02, 0.04))
    assert math.isnan(nothing)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_only_raises_and_keeps_the_order(p_values: list[float]) -> None:
    corrected = holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, corrected, strict=True))
    ordered = [q for _, q in sorted(zip(p_values, corrected, strict=True))]
    assert all(low <= high for low, high in itertools.pairwise(ordered))
    bonferroni = [min(p * len(p_values), 1.0) for p in p_values]
    assert all(q <= b + 1e-12 for q, b in zip(corrected, bonferroni, strict=True))


def test_seeds_needed_by_hand() -> None:
    # A difference of one deviation, at 5 % and 80 %: 2 × (1.96 + 0.84)² = 15.7.
    own = np.array([-1.0, 1.0]) / math.sqrt(2) + 1
    other = np.array([-1.0, 1.0]) / math.sqrt(2)
    assert seeds_needed(own, other, 1) == 16
    # Over ten comparisons at 0.5 %: 2 × (2.807 + 0.842)² = 26.6.
    assert seeds_needed(own, other, 10) == 27
    # Half of the difference takes four times as many: 62.8.
    assert seeds_needed(own - 0.5, other, 1) == 63


def test_no_number_of_seeds_shows_a_difference_that_is_not_there() -> None:
    same = np.array([1.0, 2.0])
    assert seeds_needed(same, same, 1) is None
    assert seeds_needed(same[:1], same, 1) is None
