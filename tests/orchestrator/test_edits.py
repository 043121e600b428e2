"""Edits of levels: small, legal, and never none where there is another level."""

from __future__ import annotations

import pytest
from distribution_catalogue import (
    CARTPOLE,
    EMPTY,
    FIXED,
    MAZE,
    SPACES,
    knobs,
    numeric_knobs,
    seeds,
    spaces,
)
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.distributions import EnvSpace
from orchestrator.edits import edit
from orchestrator.frozen import text
from orchestrator.knobs import Cells, Choice, Continuous, Integer, Knob, Numeric, Simplex
from orchestrator.seeding import generator

everywhere = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)


def single(knob: Knob) -> bool:
    """Whether the knob has one legal value alone."""
    match knob:
        case Numeric(low, high):
            return low == high
        case Choice(values):
            return len(values) == 1
        case Cells(size, low, high):
            return low == high and high in (0, size)
    return False


@given(knobs, seeds)
def test_an_edited_value_is_legal_and_another(knob: Knob, seed: int) -> None:
    value = knob.sample(knob.full(), generator("value", seed))
    edited = knob.edited(value, generator(seed))
    assert knob.legal(edited)
    assert (text(edited) == text(value)) is single(knob)


@given(numeric_knobs, seeds, st.sampled_from([0.0, 1.0]))
def test_a_value_at_a_bound_moves_inward(knob: Numeric, seed: int, end: float) -> None:
    bound = knob.from_unit(end)
    edited = knob.edited(bound, generator(seed))
    assert knob.low <= edited <= knob.high
    assert (edited == bound) is single(knob)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_a_number_moves_by_one_to_ten_percent(value: float) -> None:
    knob = Continuous(0.0, 1.0)
    steps = {knob.edited(value, generator(n)) - value for n in range(200)}
    assert all(0.0099 < abs(step) < 0.1001 for step in steps)
    assert max(abs(step) for step in steps) > 0.09
    assert min(abs(step) for step in steps) < 0.02
    sides = {step > 0 for step in steps}
    assert sides == {0.0: {True}, 0.3: {True, False}, 1.0: {False}}[value]


def test_on_a_log_scale_a_number_moves_by_a_factor() -> None:
    knob = Continuous(1.0, 1024.0, "log")
    factors = [knob.edited(32.0, generator(n)) / 32.0 for n in range(200)]
    assert all(0.4999 < factor < 2.0001 for factor in factors)
    assert min(factors) < 0.6
    assert max(factors) > 1.7


def test_a_whole_number_moves_by_at_least_one() -> None:
    few = {Integer(0, 3).edited(1, generator(n)) for n in range(50)}
    many = {Integer(0, 100).edited(50, generator(n)) for n in range(200)}
    assert few == {0, 2}
    assert many == set(range(40, 61)) - {50}


def test_a_choice_becomes_any_of_the_others() -> None:
    knob = Choice((True, 1, "a", [1]))
    edited = [knob.edited(1, generator(n)) for n in range(100)]
    assert {text(value) for value in edited} == {"true", '"a"', "[1]"}


def test_a_blend_moves_towards_one_term() -> None:
    knob = Simplex(("a", "b", "c"))
    value = {"a": 0.5, "b": 0.25, "c": 0.25}
    grown = set()
    for n in range(50):
        edited = knob.edited(value, generator(n))
        (more,) = [term for term in value if edited[term] > value[term]]
        share = (edited[more] - value[more]) / (1 - value[more])
        assert 0.0099 < share < 0.1001
        assert all(
            edited[term] == pytest.approx((1 - share) * value[term])
            for term in value
            if term != more
        )
        grown.add(more)
    assert grown == {"a", "b", "c"}


def test_a_blend_of_one_term_moves_away_from_it() -> None:
    knob = Simplex(("a", "b"))
    assert all(knob.edited({"a": 1.0, "b": 0.0}, generator(n))["a"] < 1 for n in range(20))


@everywhere
@pytest.mark.parametrize("steps", [1, 2, 5])
def test_an_edited_level_is_legal_and_another(space: EnvSpace, steps: int) -> None:
    level = space.full().sample(generator("level"))
    before = text(level)
    for n in range(50):
        edited = edit(level, space, generator(n), steps)
        space.check(edited)
        assert tuple(edited) == space.names
        assert (text(edited) == before) is (space in (EMPTY, FIXED))
    assert text(level) == before


@given(spaces(), seeds, st.integers(1, 6))
def test_any_edit_is_legal_and_another(space: EnvSpace, seed: int, steps: int) -> None:
    level = space.full().sample(generator("level", seed))
    edited = edit(level, space, generator(seed), steps)
    space.check(edited)
    assert (text(edited) == text(level)) is all(single(knob) for knob in space.knobs.values())
    assert edit(level, space, generator(seed), steps) == edited


def test_two_moves_of_a_coin_do_not_lead_back() -> None:
    space = EnvSpace({"coin": Choice(("heads", "tails"))})
    for n in range(10):
        assert edit({"coin": "heads"}, space, generator(n), 2) == {"coin": "tails"}


def test_one_step_moves_one_knob_and_each_is_as_likely() -> None:
    level = MAZE.full().sample(generator("level"))
    moved = [
        [name for name in level if text(edited[name]) != text(level[name])]
        for edited in (edit(level, MAZE, generator(n)) for n in range(500))
    ]
    assert all(len(names) == 1 for names in moved)
    counts = {name: sum(names == [name] for names in moved) for name in MAZE.names}
    assert all(60 < count < 140 for count in counts.values())


def test_a_knob_with_one_value_takes_no_step() -> None:
    space = EnvSpace({"fixed": Continuous(1.0, 1.0), "free": Choice((1, 2))})
    for n in range(20):
        assert edit({"fixed": 1.0, "free": 1}, space, generator(n)) == {"fixed": 1.0, "free": 2}


def test_steps_add_up() -> None:
    level = {"length": 0.5, "gravity": 10.0, "masspole": 0.1}
    moved = [
        sum(edit(level, CARTPOLE, generator(n), 5)[name] != level[name] for name in level)
        for n in range(50)
    ]
    assert max(moved) == 3
    assert min(moved) >= 1


def test_a_level_of_another_space_is_refused() -> None:
    with pytest.raises(ValueError, match="'length' is missing"):
        edit({}, CARTPOLE, generator(0))
