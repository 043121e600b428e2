"""What an exported policy observes of a level is what it observed in training."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from distribution_catalogue import SPACES, seeds, spaces
from hypothesis import given
from scenario_catalogue import ALL_KINDS

from experiments.exported.policy import numbers
from orchestrator.conditioning import Condition
from orchestrator.distributions import EnvSpace
from orchestrator.knobs import Cells, Choice, Continuous, Integer, Knob, Simplex
from orchestrator.seeding import generator


def observed(space: EnvSpace, level: dict[str, Any]) -> list[float]:
    """All knobs of a level, by what JSON keeps of both."""
    found = [numbers(_kept(knob.to_json()), _kept(level[n])) for n, knob in space.knobs.items()]
    return np.array([each for part in found for each in part], np.float32).tolist()


def _kept(value: Any) -> Any:
    return json.loads(json.dumps(value))


def shown(space: EnvSpace, level: dict[str, Any]) -> list[float]:
    vector: list[float] = Condition(space, space.names).vector(level).tolist()
    return vector


@given(space=spaces(), seed=seeds)
def test_to_the_bit_whatever_the_knobs(space: EnvSpace, seed: int) -> None:
    level = space.full().sample(generator("exported", seed))
    assert observed(space, level) == shown(space, level)


@pytest.mark.parametrize("name", [*SPACES, "all kinds"])
def test_to_the_bit_in_every_space_of_the_catalogue(name: str) -> None:
    space = {**SPACES, "all kinds": ALL_KINDS}[name]
    rng = generator("exported", name)
    for _ in range(30):
        level = space.full().sample(rng)
        assert observed(space, level) == shown(space, level)


@pytest.mark.parametrize(
    "knob", [Continuous(0.1, 0.7), Continuous(1e-3, 1e3, "log"), Integer(3, 9)]
)
def test_the_ends_of_a_range_are_minus_one_and_one(knob: Any) -> None:
    assert [numbers(knob.to_json(), end) for end in (knob.low, knob.high)] == [[-1.0], [1.0]]


@pytest.mark.parametrize(
    ("knob", "value", "message"),
    [
        (Continuous(5.0, 20.0), 21, r"must be from 5.0 to 20.0, but got 21"),
        (Choice(("open", 1)), True, r'must be one of "open", 1, but got true'),
        (Simplex(("speed", "safety")), {"speed": 1.0}, "must weigh speed, safety, but got"),
        (Cells(9), [3, 9], r"must be cells from 0 to 8, but got \[3, 9\]"),
    ],
)
def test_a_value_that_was_never_legal_is_refused(knob: Knob, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        numbers(knob.to_json(), value)
