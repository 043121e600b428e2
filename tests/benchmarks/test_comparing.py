from __future__ import annotations

import pytest

from benchmarks.curricula.comparing import compare, improvement


def test_the_probability_of_improvement_counts_pairs_by_hand() -> None:
    # 3 > 1, 3 > 2, 2 > 1 are ahead, 2 = 2 is half, 3 < 4 and 2 < 4 are behind.
    assert improvement([3.0, 2.0], [1.0, 2.0, 4.0]) == pytest.approx(3.5 / 6)
    assert improvement([1.0, 1.0], [1.0]) == 0.5
    assert improvement([2.0], [1.0]) == 1.0


def test_an_arm_that_is_ahead_on_every_seed_wins() -> None:
    outcome = compare([2.0, 2.1, 2.2, 2.3], [1.0, 1.1, 1.2, 1.3])
    assert outcome.verdict == "wins"
    assert outcome.difference == pytest.approx(1.0)
    assert 0 < outcome.low < outcome.difference < outcome.high


def test_an_arm_that_is_behind_on_every_seed_loses_by_as_much() -> None:
    outcome = compare([1.0, 1.1, 1.2, 1.3], [2.0, 2.1, 2.2, 2.3])
    assert outcome.verdict == "loses"
    assert outcome.difference == pytest.approx(-1.0)


def test_arms_that_overlap_are_unclear() -> None:
    assert compare([1.0, 2.0, 3.0], [1.5, 2.0, 2.5]).verdict == "unclear"


def test_the_interval_is_as_wide_as_the_standard_error_says() -> None:
    # Means of 50 values of 0 or 1: both deviate by 0.5 / sqrt(50) = 0.0707, the difference by 0.1.
    outcome = compare([0.0, 1.0] * 25, [0.0, 1.0] * 25)
    assert (outcome.low, outcome.high) == pytest.approx((-0.196, 0.196), abs=0.02)


def test_an_arm_without_seeds_is_refused() -> None:
    with pytest.raises(ValueError, match=r"each arm must have a seed, but got 0 and 1 of them"):
        compare([], [1.0])
