"""Whichever limit comes first."""

from __future__ import annotations

import pytest

from orchestrator.stop import Stop

ALL = Stop(iterations=10, env_steps=1000, minutes=5.0, score=90.0)


@pytest.mark.parametrize(
    ("iterations", "env_steps", "minutes", "spent"),
    [
        (0, 0, 0.0, False),
        (9, 999, 4.99, False),
        (10, 0, 0.0, True),
        (0, 1000, 0.0, True),
        (0, 0, 5.0, True),
        (11, 2000, 9.0, True),
    ],
)
def test_any_budget_ends_it(iterations: int, env_steps: int, minutes: float, spent: bool) -> None:
    assert ALL.spent(iterations, env_steps, minutes) is spent


@pytest.mark.parametrize(
    ("score", "reached"),
    [(None, False), (89.9, False), (90.0, True), (1e9, True), (float("-inf"), False)],
)
def test_a_score_ends_it(score: float | None, reached: bool) -> None:
    assert ALL.reached(score) is reached


def test_zero_is_a_limit_and_none_is_none() -> None:
    assert Stop(iterations=0).spent(0, 0, 0.0)
    assert Stop(score=0.0).reached(0.0)
    assert not Stop().spent(10**9, 10**12, 1e9)
    assert not Stop().reached(1e9)
