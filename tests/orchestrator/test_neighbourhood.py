"""Levels like a given one: they hold it, stay near it, and grow with the reach."""

from __future__ import annotations

import pytest
from distribution_catalogue import CARTPOLE, GRID, MAZE, SPACES, amounts, knobs, seeds, spaces
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.distributions import EnvSpace, Product
from orchestrator.knobs import Blend, Choice, Continuous, Integer, Knob, Range, Weights
from orchestrator.neighbourhood import neighbourhood, point
from orchestrator.seeding import generator

everywhere = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)


@given(spaces(), amounts, seeds)
def test_the_level_itself_is_always_near(space: EnvSpace, reach: float, seed: int) -> None:
    level = space.full().sample(generator(seed))
    near = neighbourhood(space, level, reach)
    assert near.contains(level)
    space.check(near.sample(generator(seed, 1)))


@given(knobs, seeds)
def test_a_point_draws_nothing_but_its_value(knob: Knob, seed: int) -> None:
    value = knob.sample(knob.full(), generator(seed))
    assert knob.check(point(knob, value)) == point(knob, value)
    drawn = knob.sample(point(knob, value), generator(seed, 1))
    assert (len(drawn) == len(value)) if knob.kind == "cells" else (drawn == value)


@everywhere
@given(seed=seeds)
def test_all_that_is_legal_is_within_a_reach_of_one(space: EnvSpace, seed: int) -> None:
    near = neighbourhood(space, space.full().sample(generator(seed)), 1.0)
    drawn = space.full().sample(generator(seed, 1))
    assert near.contains(drawn)


@given(st.floats(0, 1), st.floats(0.01, 0.3), seeds)
def test_no_number_is_further_off_than_the_reach(at: float, reach: float, seed: int) -> None:
    space = EnvSpace({"x": Continuous(0.1, 10.0, "log")})
    knob = space.knobs["x"]
    assert isinstance(knob, Continuous)
    drawn = neighbourhood(space, {"x": knob.from_unit(at)}, reach).sample(generator(seed))
    assert abs(knob.to_unit(drawn["x"]) - at) <= reach + 1e-9


def test_a_neighbourhood_worked_by_hand() -> None:
    space = EnvSpace(
        {
            "gravity": Continuous(0.0, 20.0),
            "tau": Continuous(0.01, 1.0, "log"),
            "size": Integer(0, 100),
            "layout": Choice(("open", "rooms", True, 1)),
        }
    )
    level = {"gravity": 19.0, "tau": 0.1, "size": 50, "layout": 1}
    near = neighbourhood(space, level, 0.1)
    assert near.marginals["gravity"] == Range(17.0, 20.0)
    assert near.marginals["size"] == Range(40, 60)
    assert near.marginals["layout"] == Weights((0.025, 0.025, 0.025, 0.925))
    tau = near.marginals["tau"]
    assert isinstance(tau, Range)
    # A tenth of two decades to either side.
    assert (tau.low, tau.high) == pytest.approx((0.1 * 10**-0.2, 0.1 * 10**0.2))


def test_weights_of_terms_spread_and_cells_are_counted() -> None:
    level = MAZE.full().sample(generator(0)) | {
        "reward": {"speed": 0.5, "energy": 0.25, "safety": 0.25}
    }
    assert neighbourhood(MAZE, level, 0.2).marginals["reward"] == Blend((0.5, 0.25, 0.25), 0.2)
    # Twelve counts of walls beside none: a quarter of twelve is three.
    near = neighbourhood(GRID, {"walls": [3, 7, 9, 20], "start": 0, "goal": 24}, 0.25)
    assert near.marginals["walls"] == Range(1, 7)


def test_without_reach_there_is_the_level_alone() -> None:
    level = {"length": 0.5, "gravity": 9.8, "masspole": 0.1}
    marginals = {name: Range(value, value) for name, value in level.items()}
    assert neighbourhood(CARTPOLE, level, 0.0) == Product(CARTPOLE, marginals)


def test_a_level_of_another_space_has_no_neighbours() -> None:
    with pytest.raises(ValueError, match="a level must fit its env space"):
        neighbourhood(CARTPOLE, {"length": 0.5, "gravity": 99.0, "masspole": 0.1}, 0.1)
