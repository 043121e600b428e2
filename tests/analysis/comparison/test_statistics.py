"""Figures of scores and their bootstrap, by hand, by what must stay the same, and by scipy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from analysis.comparison import statistics
from analysis.comparison.statistics import Floats, iqm, mean
from orchestrator.scoring import aggregate

SCORES = np.array([[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 100.0]])


def shapes(seeds: int = 4, levels: int = 5) -> st.SearchStrategy[Floats]:
    sizes = st.tuples(st.integers(1, seeds), st.integers(1, levels))
    return arrays(np.float64, sizes, elements=st.integers(-1000, 1000).map(float))


def three_levels() -> st.SearchStrategy[Floats]:
    sizes = st.tuples(st.integers(1, 4), st.just(3))
    return arrays(np.float64, sizes, elements=st.integers(-3, 3).map(float))


# Figures


def test_the_mean_is_over_seeds_and_levels() -> None:
    assert mean(SCORES) == 16.0


def test_the_iqm_leaves_out_a_quarter_of_all_returns_at_either_end() -> None:
    # 1, 2 and 7, 100 are left out of the eight.
    assert iqm(SCORES) == (3 + 4 + 5 + 6) / 4
    # Of five, a quarter is one whole entry.
    assert iqm(np.array([[0.0, 1.0, 2.0, 6.0, 99.0]])) == 3.0


def test_the_cvar_is_of_the_worst_levels_of_each_seed() -> None:
    # The worst half of the levels is 1, 2 of the first seed and 5, 6 of the second.
    assert statistics.cvar(SCORES, 0.5) == (1.5 + 5.5) / 2
    # Of four levels a share of 0.375 is one and a half.
    assert statistics.cvar(SCORES[:1], 0.375) == pytest.approx((1 + 0.5 * 2) / 1.5)


def test_each_seed_has_a_figure_of_its_own() -> None:
    assert statistics.by_seed(SCORES, "iqm").tolist() == [2.5, 6.5]
    assert statistics.by_seed(SCORES, "min").tolist() == [1.0, 5.0]


def test_improvement_is_averaged_over_levels_and_ties_count_half() -> None:
    own = np.array([[3.0, 1.0], [2.0, 1.0]])
    other = np.array([[1.0, 1.0], [2.0, 1.0], [4.0, 0.0]])
    # Level 0: 3 > 1, 3 > 2, 2 > 1 and 2 = 2 of six pairs; level 1: four ties and two ahead.
    assert statistics.improvement(own, other) == pytest.approx((3.5 / 6 + 4 / 6) / 2)
    assert statistics.ahead(own, other)[0].tolist() == [0.75, 0.75, 0.5]


def test_a_profile_is_the_share_of_returns_above_a_threshold() -> None:
    shares = statistics.profile(SCORES, np.array([0.0, 2.0, 5.5, 100.0]))
    assert shares.tolist() == [[1.0, 0.5, 0.0, 0.0], [1.0, 1.0, 0.75, 0.0]]


@given(shapes())
def test_one_number_for_all_is_what_scoring_and_scipy_say(scores: Floats) -> None:
    returns = scores.ravel().tolist()
    assert iqm(scores) == pytest.approx(stats.trim_mean(returns, 0.25), abs=1e-9)
    assert iqm(scores) == pytest.approx(aggregate(returns, "iqm"), abs=1e-9)
    assert mean(scores) == pytest.approx(aggregate(returns, "mean"), abs=1e-9)


@given(shapes(), st.integers(-50, 50))
def test_what_is_added_to_every_return_is_added_to_every_figure(scores: Floats, more: int) -> None:
    for figure in (mean, iqm, statistics.cvar):
        assert figure(scores + more) == pytest.approx(figure(scores) + more, abs=1e-9)


@given(shapes())
def test_the_order_of_seeds_and_of_levels_means_nothing(scores: Floats) -> None:
    turned = scores[::-1, ::-1]
    for figure in (mean, iqm, statistics.cvar):
        assert figure(turned) == pytest.approx(figure(scores), abs=1e-9)


@given(shapes())
def test_the_worst_levels_are_worse_than_all_of_them(scores: Floats) -> None:
    by_share = [statistics.cvar(scores, share) for share in (0.1, 0.25, 0.5, 1.0)]
    assert all(low <= high + 1e-9 for low, high in itertools.pairwise(by_share))
    assert by_share[-1] == pytest.approx(mean(scores), abs=1e-9)


@given(three_levels(), three_levels())
def test_improvements_both_ways_add_up_to_one(own: Floats, other: Floats) -> None:
    both = statistics.improvement(own, other) + statistics.improvement(other, own)
    assert both == pytest.approx(1.0)


@given(three_levels(), three_levels())
def test_improvement_is_u_over_the_number_of_pairs(own: Floats, other: Floats) -> None:
    levels = range(own.shape[1])
    us = [stats.mannwhitneyu(own[:, k], other[:, k], method="asymptotic").statistic for k in levels]
    assert statistics.improvement(own, other) == pytest.approx(
        np.mean(us) / (len(own) * len(other))
    )


# Bootstrap


def test_every_way_to_draw_two_seeds_gives_the_statistic_by_hand() -> None:
    draws = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    assert statistics.bootstrap(SCORES, mean, draws).tolist() == [2.5, 16.0, 16.0, 29.5]
    assert statistics.bootstrap(SCORES, iqm, draws).tolist() == [2.5, 4.5, 4.5, 6.5]


def test_a_statistic_may_have_several_values() -> None:
    draws = np.array([[0, 0], [0, 1]])
    found = statistics.bootstrap(SCORES, lambda scores: scores.mean(axis=-2), draws)
    assert found.tolist() == [[1.0, 2.0, 3.0, 4.0], [3.0, 4.0, 5.0, 52.0]]


def test_resamples_are_the_same_however_many_fit_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = statistics.seed_draws(2, np.random.default_rng(1), resamples=101)
    whole = statistics.bootstrap(SCORES, iqm, draws)
    by_level = statistics.bootstrap_by_level(SCORES, iqm, np.random.default_rng(1), 101)
    monkeypatch.setattr(statistics, "_BATCH", 80)
    assert statistics.bootstrap(SCORES, iqm, draws).tolist() == whole.tolist()
    parts = statistics.bootstrap_by_level(SCORES, iqm, np.random.default_rng(1), 101)
    assert parts.tolist() == by_level.tolist()


def test_draws_are_of_as_many_seeds_as_there_are_and_follow_the_generator() -> None:
    draws = statistics.seed_draws(3, np.random.default_rng(7), resamples=500)
    assert draws.shape == (500, 3)
    assert set(np.unique(draws)) == {0, 1, 2}
    again = statistics.seed_draws(3, np.random.default_rng(7), resamples=500)
    other = statistics.seed_draws(3, np.random.default_rng(8), resamples=500)
    assert (draws == again).all()
    assert (draws != other).any()


def test_the_interval_of_a_mean_is_that_of_scipy() -> None:
    values = np.random.default_rng(5).normal(size=12)
    draws = statistics.seed_draws(12, np.random.default_rng(0), resamples=40_000)
    ours = statistics.interval(statistics.bootstrap(values[:, None], mean, draws))
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=40_000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_the_interval_of_a_mean_is_as_wide_as_its_standard_error_says() -> None:
    # Of 100 values of 0 or 1 the mean deviates by 0.5 / sqrt(100) = 0.05.
    values = np.array([[0.0], [1.0]] * 50)
    draws = statistics.seed_draws(100, np.random.default_rng(0))
    low, high = statistics.interval(statistics.bootstrap(values, mean, draws))
    assert (low, high) == pytest.approx((0.402, 0.598), abs=0.01)


def test_the_luck_of_a_seed_is_not_averaged_away_over_its_levels() -> None:
    # Each seed returns the same on all levels: 64 levels say no more than one.
    alike = np.repeat(np.array([[1.0], [2.0], [3.0], [4.0], [5.0]]), 64, axis=1)
    draws = statistics.seed_draws(5, np.random.default_rng(0))
    low, high = statistics.interval(statistics.bootstrap(alike, mean, draws))
    one = statistics.interval(statistics.bootstrap(alike[:, :1], mean, draws))
    assert (low, high) == pytest.approx(one)
    narrow = statistics.bootstrap_by_level(alike, mean, np.random.default_rng(0), 2000)
    narrow_low, narrow_high = statistics.interval(narrow)
    # By level, by the root of 64 narrower.
    assert (high - low) / (narrow_high - narrow_low) == pytest.approx(8, rel=0.1)


def test_improvement_is_resampled_by_seeds_of_both_arms() -> None:
    own, other = np.array([[1.0, 1.0], [3.0, 3.0]]), np.array([[2.0, 2.0]])
    found = statistics.improvement_bootstrap(
        own, other, np.array([[0, 0], [0, 1], [1, 1]]), np.array([[0], [0], [0]])
    )
    assert found.tolist() == [0.0, 0.5, 1.0]


def test_an_interval_leaves_as_much_out_below_as_above() -> None:
    low, high = statistics.interval(np.arange(1001.0))
    assert (low, high) == pytest.approx((25.0, 975.0))
    low, high = statistics.interval(np.arange(1001.0), confidence=0.5)
    assert (low, high) == pytest.approx((250.0, 750.0))


def test_an_interval_of_several_values_is_pointwise() -> None:
    values = np.stack([np.arange(1001.0), 10 * np.arange(1001.0)], axis=1)
    low, high = statistics.interval(values)
    assert low.tolist() == pytest.approx([25.0, 250.0])
    assert high.tolist() == pytest.approx([975.0, 9750.0])


def test_an_interval_may_end_in_infinity() -> None:
    values = np.concatenate([np.arange(900.0), np.full(100, np.inf)])
    low, high = statistics.interval(values)
    assert (low, high) == (25.0, np.inf)
