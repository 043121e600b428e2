"""How likely each level is to be replayed, against examples worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from distribution_catalogue import amounts
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.curricula.replay import rank_weights, replay_weights, staleness_weights

finite = st.floats(-1e12, 1e12)
temperatures = st.floats(1e-3, 1e3)


@st.composite
def buffers(draw: st.DrawFn) -> tuple[list[float], list[int], int]:
    """Scores, when each level was played, and the clock."""
    scores = draw(st.lists(finite, min_size=1, max_size=8))
    clock = draw(st.integers(0, 1000))
    size = len(scores)
    played = draw(st.lists(st.integers(0, clock), min_size=size, max_size=size))
    return scores, played, clock


def test_ranks_are_weighted_by_a_power() -> None:
    """Ranks 3, 1, 2; to the power of -2 they are 1/9, 1, 1/4."""
    assert rank_weights([1.0, 3.0, 2.0], 0.5) == pytest.approx([4 / 49, 36 / 49, 9 / 49])


def test_the_highest_score_has_the_most_weight() -> None:
    assert int(np.argmax(rank_weights([-5.0, 0.0, 7.0, 6.9], 0.3))) == 2
    assert int(np.argmin(rank_weights([-5.0, 0.0, 7.0, 6.9], 0.3))) == 0


def test_only_the_order_of_the_scores_counts() -> None:
    near, far = [1.0, 1.1, 1.2], [-1e9, 0.0, 1e9]
    assert rank_weights(near, 0.3).tolist() == rank_weights(far, 0.3).tolist()


def test_of_equal_scores_the_earlier_ranks_higher() -> None:
    assert rank_weights([2.0, 2.0, 2.0], 1.0) == pytest.approx([6 / 11, 3 / 11, 2 / 11])


def test_a_low_temperature_replays_the_highest_score_alone() -> None:
    assert rank_weights([0.0, 1.0, 0.5], 1e-3) == pytest.approx([0.0, 1.0, 0.0])


def test_a_high_temperature_replays_all_alike() -> None:
    assert rank_weights([0.0, 1.0, 0.5], math.inf) == pytest.approx([1 / 3] * 3)


def test_staleness_grows_with_every_episode_that_a_level_waits() -> None:
    assert staleness_weights([4, 10, 7], 10) == pytest.approx([6 / 9, 0.0, 3 / 9])


def test_levels_that_were_all_just_played_are_equally_stale() -> None:
    assert staleness_weights([10, 10], 10).tolist() == [0.5, 0.5]


def test_score_and_staleness_are_mixed() -> None:
    weights = replay_weights([1.0, 3.0, 2.0], [4, 10, 7], 10, temperature=0.5, staleness=0.25)
    by_hand = [
        0.75 * 4 / 49 + 0.25 * 6 / 9,
        0.75 * 36 / 49,
        0.75 * 9 / 49 + 0.25 * 3 / 9,
    ]
    assert weights == pytest.approx(by_hand)


def test_without_staleness_age_does_not_count() -> None:
    scores = [1.0, 3.0, 2.0]
    weights = replay_weights(scores, [0, 9, 5], 9, temperature=0.3, staleness=0.0)
    assert weights.tolist() == rank_weights(scores, 0.3).tolist()


def test_with_staleness_alone_the_score_does_not_count() -> None:
    weights = replay_weights([1.0, 3.0], [1, 2], 4, temperature=0.3, staleness=1.0)
    assert weights == pytest.approx([3 / 5, 2 / 5])


@given(buffers(), temperatures, amounts)
def test_weights_are_probabilities(
    buffer: tuple[list[float], list[int], int], temperature: float, staleness: float
) -> None:
    weights = replay_weights(*buffer, temperature=temperature, staleness=staleness)
    assert weights.shape == (len(buffer[0]),)
    assert weights.min() >= 0
    assert math.fsum(weights) == pytest.approx(1)


@given(st.lists(finite, min_size=2, max_size=8, unique=True), temperatures)
def test_a_higher_score_never_weighs_less(scores: list[float], temperature: float) -> None:
    weights = rank_weights(scores, temperature)
    by_score = [float(weights[place]) for place in np.argsort(scores)]
    assert by_score == sorted(by_score)
