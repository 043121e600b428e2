"""A generator's action is a legal level, and every legal level has an action."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from distribution_catalogue import EMPTY, SPACES, seeds, spaces
from gymnasium.spaces import Box, Discrete, MultiDiscrete
from hypothesis import given
from hypothesis import strategies as st
from scenario_catalogue import ALL_KINDS

from orchestrator.distributions import EnvSpace
from orchestrator.generator_actions import MOST_ONE_BY_ONE, GeneratorActions
from orchestrator.knob import Knob
from orchestrator.knobs import Cells, Choice, Continuous, Integer, Simplex
from orchestrator.seeding import generator

RNG = generator("actions")


def value(knob: Knob, part: Any) -> Any:
    """What one knob becomes by one part of an action."""
    return GeneratorActions(EnvSpace({"k": knob})).level({"k": np.asarray(part)}, RNG)["k"]


@given(space=spaces().filter(lambda space: bool(space.knobs)), seed=seeds)
def test_every_action_is_a_legal_level(space: EnvSpace, seed: int) -> None:
    actions = GeneratorActions(space)
    actions.space.seed(seed)
    level = actions.level(actions.space.sample(), generator("legal", seed))
    assert space.cast(level) == level
    assert list(level) == list(space.names)


@given(seed=seeds, size=st.floats(1, 1e30))
def test_actions_beyond_the_bounds_are_clipped(seed: int, size: float) -> None:
    actions = GeneratorActions(ALL_KINDS)
    actions.space.seed(seed)
    action = actions.space.sample()
    for name, part in actions.space.items():
        if isinstance(part, Box):
            action[name] = action[name] * np.float32(size)
    ALL_KINDS.check(actions.level(action, generator("clipped")))


def test_each_knob_has_a_part_of_its_own() -> None:
    assert GeneratorActions(ALL_KINDS).space.spaces == {
        "budget": Box(-1.0, 1.0, (1,), np.float32),
        "gain": Box(-1.0, 1.0, (1,), np.float32),
        "horizon": Discrete(7),
        "layout": Discrete(3),
        "reward": Box(-1.0, 1.0, (2,), np.float32),
        "walls": MultiDiscrete([2] * 9),
    }


def test_short_integer_knobs_are_chosen_from_and_long_ones_are_lines() -> None:
    few, many = Integer(5, 4 + MOST_ONE_BY_ONE), Integer(5, 5 + MOST_ONE_BY_ONE)
    assert GeneratorActions(EnvSpace({"k": few})).space["k"] == Discrete(MOST_ONE_BY_ONE)
    assert isinstance(GeneratorActions(EnvSpace({"k": many})).space["k"], Box)


def test_a_continuous_knob_is_set_on_its_scale() -> None:
    linear, log = Continuous(2.0, 4.0), Continuous(1.0, 100.0, "log")
    assert [value(linear, [x]) for x in (-1, 0, 0.5, 1)] == [2.0, 3.0, 3.5, 4.0]
    assert [value(log, [x]) for x in (-1, 0, 1)] == pytest.approx([1.0, 10.0, 100.0])


def test_every_integer_can_be_reached() -> None:
    few = Integer(-2, 2)
    assert [value(few, place) for place in range(5)] == [-2, -1, 0, 1, 2]
    many = Integer(10, 60)
    assert {value(many, [x]) for x in np.linspace(-1, 1, 301)} == set(range(10, 61))


def test_every_choice_can_be_reached_and_is_a_new_value() -> None:
    knob = Choice(("open", [1, 2], None, True))
    found = [value(knob, place) for place in range(4)]
    assert found == ["open", [1, 2], None, True]
    assert value(knob, 1) is not value(knob, 1)


def test_weights_are_shares_of_their_sum() -> None:
    knob = Simplex(("a", "b", "c"))
    assert value(knob, [-1, -1, 1]) == {"a": 0.0, "b": 0.0, "c": 1.0}
    assert value(knob, [-1, 0, 1]) == pytest.approx({"a": 0.0, "b": 1 / 3, "c": 2 / 3})
    assert value(knob, [-1, -1, -1]) == pytest.approx({"a": 1 / 3, "b": 1 / 3, "c": 1 / 3})


def test_marked_cells_are_the_value_where_their_number_is_legal() -> None:
    knob = Cells(6, 1, 3)
    assert value(knob, [0, 1, 0, 0, 1, 0]) == [1, 4]
    assert value(knob, [1, 0, 1, 0, 0, 1]) == [0, 2, 5]


@given(seed=seeds, marks=st.lists(st.integers(0, 1), min_size=6, max_size=6))
def test_too_many_cells_lose_some_and_too_few_gain_some(seed: int, marks: list[int]) -> None:
    knob = Cells(6, 2, 3)
    actions = GeneratorActions(EnvSpace({"k": knob}))
    cells = actions.level({"k": np.array(marks)}, generator("cells", seed))["k"]
    marked = {cell for cell, mark in enumerate(marks) if mark}
    assert len(cells) == min(max(len(marked), 2), 3)
    assert marked <= set(cells) or set(cells) <= marked


def test_no_cell_is_favoured_where_too_many_are_marked() -> None:
    actions = GeneratorActions(EnvSpace({"k": Cells(6, 0, 2)}))
    rng = generator("favoured")
    drawn = [actions.level({"k": np.ones(6)}, rng)["k"] for _ in range(3000)]
    counts = np.bincount(np.concatenate(drawn), minlength=6)
    assert counts.min() > 850
    assert counts.max() < 1150


@pytest.mark.parametrize("name", [name for name in SPACES if name != "empty"])
def test_every_space_of_the_catalogue_can_be_set(name: str) -> None:
    actions = GeneratorActions(SPACES[name])
    SPACES[name].check(actions.level(actions.space.sample(), RNG))


def test_a_space_without_knobs_is_refused() -> None:
    with pytest.raises(ValueError, match="must have at least one knob to set"):
        GeneratorActions(EMPTY)


def test_a_knob_that_no_action_sets_is_named() -> None:
    unset = dict.fromkeys(Knob.__abstractmethods__)
    unknown = type("Unknown", (Knob,), {**unset, "kind": "unknown"})
    with pytest.raises(ValueError, match="cannot set knob 'strange', which is of kind 'unknown'"):
        GeneratorActions(EnvSpace({"fine": Integer(0, 1), "strange": unknown()}))


def test_an_action_that_is_no_number_is_refused() -> None:
    actions = GeneratorActions(EnvSpace({"gravity": Continuous(0.0, 1.0)}))
    with pytest.raises(ValueError, match="must give knob 'gravity' finite numbers"):
        actions.level({"gravity": np.array([np.nan])}, RNG)
