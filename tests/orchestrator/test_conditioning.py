"""What agents are shown of the level, by hand for each kind of knob."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from distribution_catalogue import SPACES, seeds, spaces
from gymnasium.spaces import Box, Dict, Discrete
from hypothesis import given
from scenario_catalogue import ALL_KINDS

from orchestrator.conditioning import Condition, ShownToEach, ShownToOne, extended
from orchestrator.distributions import EnvSpace
from orchestrator.seeding import generator

LEVEL = {
    "gain": 10.0,
    "horizon": 3,
    "budget": 1000,
    "layout": [1, 2],
    "reward": {"speed": 0.75, "safety": 0.25},
    "walls": [0, 8],
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("gain", [0.0]),  # Halfway from 1 to 100 on a log scale.
        ("horizon", [-1.0]),
        ("budget", [1.0]),
        ("layout", [-1.0, 1.0, -1.0]),
        ("reward", [0.5, -0.5]),
        ("walls", [1, -1, -1, -1, -1, -1, -1, -1, 1]),
    ],
)
def test_each_kind_of_knob_has_its_numbers(name: str, expected: list[float]) -> None:
    condition = Condition(ALL_KINDS, (name,))
    assert condition.size == len(expected)
    assert condition.vector(LEVEL).tolist() == pytest.approx(expected)


def test_knobs_stand_in_the_order_that_was_asked_for() -> None:
    condition = Condition(ALL_KINDS, ("reward", "horizon", "gain"))
    assert condition.vector(LEVEL).tolist() == pytest.approx([0.5, -0.5, -1.0, 0.0])


@given(space=spaces(), seed=seeds)
def test_numbers_are_from_minus_one_to_one(space: EnvSpace, seed: int) -> None:
    condition = Condition(space, space.names)
    vector = condition.vector(space.full().sample(generator("numbers", seed)))
    assert vector.dtype == np.float32
    assert vector.shape == (condition.size,)
    assert np.all(np.abs(vector) <= 1)


def test_levels_that_differ_have_vectors_that_differ() -> None:
    space = SPACES["maze"]
    condition = Condition(space, space.names)
    rng = generator("differ")
    drawn = [tuple(condition.vector(space.full().sample(rng))) for _ in range(50)]
    assert len(set(drawn)) == 50


def test_no_cell_at_all_is_minus_one_everywhere() -> None:
    condition = Condition(SPACES["grid"], ("walls",))
    assert condition.vector({"walls": []}).tolist() == [-1.0] * 25


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("gian",), r"must name knobs, but got 'gian' \(did you mean 'gain'\?\)"),
        (("gain", "gain"), "must be unique"),
        ("gain", "must be a list of names"),
    ],
)
def test_names_that_are_no_knobs_are_refused(names: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Condition(ALL_KINDS, names)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_space_gets_room_for_the_numbers(dtype: Any) -> None:
    space = extended(Box(np.array([-2, 0], dtype), np.array([3, np.inf], dtype), dtype=dtype), 2)
    assert space.dtype == dtype
    assert space.low.tolist() == [-2, 0, -1, -1]
    assert space.high.tolist() == [3, np.inf, 1, 1]


@pytest.mark.parametrize(
    "space",
    [
        Box(0, 255, (4,), np.uint8),
        Box(0.0, 1.0, (2, 2), np.float32),
        Box(0.0, 1.0, (), np.float32),
        Discrete(3),
        Dict({"a": Box(0.0, 1.0, (2,), np.float32)}),
    ],
    ids=str,
)
def test_a_space_without_room_is_refused_with_what_would_work(space: Any) -> None:
    message = r"must be a Box of floats with one dimension.*FlattenObservation"
    with pytest.raises(ValueError, match=message):
        extended(space, 1)


def test_observations_keep_their_dtype() -> None:
    condition = Condition(ALL_KINDS, ("horizon", "gain"))
    shown = ShownToOne(condition, Box(-1.0, 1.0, (2,), np.float32))
    show = shown.shows(LEVEL)
    for given_dtype in (np.float32, np.float64):
        seen = show(np.array([0.5, -0.5], given_dtype))
        assert seen.dtype == np.float32
        assert seen.tolist() == pytest.approx([0.5, -0.5, -1.0, 0.0])
        assert shown.space.contains(seen)


def test_each_agent_that_observes_is_shown_the_level() -> None:
    condition = Condition(ALL_KINDS, ("horizon",))
    agents = {"a": Box(-1.0, 1.0, (1,), np.float32), "b": Box(-1.0, 1.0, (2,), np.float64)}
    shown = ShownToEach(condition, agents)
    assert {agent: space.shape for agent, space in shown.space.items()} == {"a": (2,), "b": (3,)}
    show = shown.shows(LEVEL)
    seen = show({"b": np.array([0.5, 0.25])})
    assert seen.keys() == {"b"}
    assert seen["b"].tolist() == [0.5, 0.25, -1.0]
    assert seen["b"].dtype == np.float64
