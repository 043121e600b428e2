"""Scores worked by hand, and what holds for all of them."""

from __future__ import annotations

import math

import distribution_catalogue  # noqa: F401 - loads the steady profile
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.scoring import Aggregate, aggregate

KINDS: tuple[Aggregate, ...] = ("mean", "iqm", "cvar", "min")
everyone = pytest.mark.parametrize("kind", KINDS)
some_returns = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20)
EIGHT = [7.0, 1.0, 8.0, 2.0, 6.0, 3.0, 5.0, 100.0]


@pytest.mark.parametrize(
    ("returns", "kind", "alpha", "score"),
    [
        (EIGHT, "mean", 0.25, 132 / 8),
        # Without 1, 2 and 8, 100: (3 + 5 + 6 + 7) / 4.
        (EIGHT, "iqm", 0.25, 5.25),
        # int(0.25 * 5) = 1 cut at either end.
        ([1.0, 2.0, 3.0, 4.0, 100.0], "iqm", 0.25, 3.0),
        ([1.0, 2.0, 9.0], "iqm", 0.25, 4.0),
        (EIGHT, "cvar", 0.25, 1.5),
        (EIGHT, "cvar", 0.5, 2.75),
        (EIGHT, "cvar", 1.0, 132 / 8),
        # The worst 2.5 of ten: (1 + 2 + 3 / 2) / 2.5.
        ([float(n) for n in range(1, 11)], "cvar", 0.25, 1.8),
        # Less than one level: the worst.
        ([4.0, 2.0], "cvar", 0.1, 2.0),
        ([4.0, 2.0], "cvar", 0.75, 4.0 / 1.5),
        (EIGHT, "min", 0.25, 1.0),
        ([3.0], "mean", 0.25, 3.0),
        ([3.0], "iqm", 0.25, 3.0),
        ([3.0], "cvar", 0.25, 3.0),
        ([3.0], "min", 0.25, 3.0),
    ],
)
def test_worked_by_hand(returns: list[float], kind: Aggregate, alpha: float, score: float) -> None:
    assert aggregate(returns, kind, alpha) == pytest.approx(score, rel=1e-12)


@everyone
@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_a_return_that_is_not_finite_ranks_last(kind: Aggregate, odd: float) -> None:
    assert aggregate([1.0, odd, 3.0], kind) == -math.inf


@everyone
@given(some_returns, st.floats(0.01, 1))
def test_a_score_lies_among_the_returns(
    kind: Aggregate, returns: list[float], alpha: float
) -> None:
    score = aggregate(returns, kind, alpha)
    assert type(score) is float
    assert min(returns) - 1e-6 <= score <= max(returns) + 1e-6


@everyone
@given(some_returns.flatmap(lambda each: st.tuples(st.just(each), st.permutations(each))))
def test_the_order_of_levels_is_of_no_account(
    kind: Aggregate, both: tuple[list[float], list[float]]
) -> None:
    assert aggregate(both[0], kind) == aggregate(both[1], kind)


@given(some_returns, st.floats(0.01, 1), st.floats(0.01, 1))
def test_a_larger_share_is_no_worse(returns: list[float], one: float, other: float) -> None:
    smaller, larger = sorted((one, other))
    gap = aggregate(returns, "cvar", larger) - aggregate(returns, "cvar", smaller)
    assert gap >= -1e-6


@given(some_returns)
def test_the_whole_share_is_the_mean_and_none_of_it_the_minimum(returns: list[float]) -> None:
    assert aggregate(returns, "cvar", 1.0) == pytest.approx(aggregate(returns, "mean"), abs=1e-6)
    assert aggregate(returns, "cvar", 1e-9) == pytest.approx(aggregate(returns, "min"))


@everyone
def test_returns_are_left_as_they_are_and_may_be_an_array(kind: Aggregate) -> None:
    array = np.array([3.0, 1.0, 2.0])
    assert aggregate(array, kind) == aggregate([3.0, 1.0, 2.0], kind)  # type: ignore[arg-type]
    assert array.tolist() == [3.0, 1.0, 2.0]


@everyone
def test_no_returns_are_refused(kind: Aggregate) -> None:
    with pytest.raises(ValueError, match="`returns` must hold at least one return"):
        aggregate([], kind)


@pytest.mark.parametrize("alpha", [0.0, -0.25, 1.01, math.nan])
def test_a_share_must_be_one(alpha: float) -> None:
    with pytest.raises(ValueError, match="`0 < alpha <= 1` must hold, but got alpha="):
        aggregate([1.0], "cvar", alpha)


def test_an_unknown_aggregate_is_refused() -> None:
    with pytest.raises(
        ValueError, match="must be one of mean, iqm, cvar and min, but got 'median'"
    ):
        aggregate([1.0], "median")  # type: ignore[arg-type]
