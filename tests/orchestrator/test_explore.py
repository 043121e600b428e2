"""Every explorer, over every kind of hyperparameter, gives legal values from its seed alone."""

from __future__ import annotations

import json
import math
import pickle
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from distribution_catalogue import continuous_knobs, integer_knobs, legal_values, seeds
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.explore import (
    Explorer,
    Interval,
    Now,
    Perturb,
    Prescribed,
    Resample,
    Search,
    draw,
)
from orchestrator.frozen import text
from orchestrator.knobs import Choice, Continuous, Integer, Knob, Numeric, Simplex
from orchestrator.optuna_explorer import OptunaExplorer
from orchestrator.seeding import generator

EXPLORERS: dict[str, Explorer] = {
    "perturb": Perturb(),
    "perturb-always": Perturb(factor=2.0, resample=0.0),
    "perturb-never": Perturb(resample=1.0),
    "resample": Resample(),
    "optuna-tpe": OptunaExplorer("tpe"),
    "optuna-gp": OptunaExplorer("gp"),
    "optuna-cmaes": OptunaExplorer("cmaes"),
}
SEARCHES: dict[str, dict[str, Knob]] = {
    "empty": {},
    "ppo": {
        "lr": Continuous(1e-5, 1e-2, "log"),
        "num_epochs": Integer(1, 20),
        "minibatch_size": Choice((32, 64, 128)),
    },
    "odd": {
        "signed": Continuous(-1.0, 1.0),
        "from_zero": Continuous(0.0, 0.5),
        "offset": Integer(-3, 3),
        "one": Continuous(0.3, 0.3),
        "only": Integer(4, 4),
        "mixed": Choice((True, 1, 1.0, None, "1", [64, 64], [[64], None])),
    },
}

explorers = pytest.mark.parametrize("name", EXPLORERS)
searches = pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)


def assert_legal(values: Mapping[str, Any], search: Search) -> None:
    """A value for each key, legal and of the knob's own plain type."""
    assert values.keys() == search.keys()
    for name, knob in search.items():
        cast = knob.cast(values[name])
        assert type(cast) is type(values[name])
        assert text(cast) == text(values[name])


@explorers
@searches
@settings(max_examples=30)
@given(seed=seeds)
def test_values_are_legal(name: str, search: Search, seed: int) -> None:
    rng = generator(seed)
    values = draw(search, rng)
    assert_legal(values, search)
    for _ in range(5):
        values = EXPLORERS[name].explore(values, search, rng)
        assert_legal(values, search)
    assert json.loads(json.dumps(values, allow_nan=False)) == values


@explorers
@searches
@settings(max_examples=30)
@given(seed=seeds)
def test_the_generator_alone_decides(name: str, search: Search, seed: int) -> None:
    values = draw(search, generator(seed))
    once = EXPLORERS[name].explore(values, search, generator(seed, 1))
    other_order = {key: search[key] for key in reversed([*search])}
    copy = pickle.loads(pickle.dumps(EXPLORERS[name]))
    assert copy == EXPLORERS[name]
    assert copy.explore(values, other_order, generator(seed, 1)) == once


def lived(search: Search, seed: int, count: int = 14) -> list[Interval]:
    """Intervals with drawn values, of which the last two still run."""
    rng = generator("lived", seed)
    ended = [rng.normal() if number < count - 2 else None for number in range(count)]
    return [
        Interval(number % 4, number // 4, draw(search, rng), float(rng.normal()), after)
        for number, after in enumerate(ended)
    ]


@explorers
@searches
def test_values_are_legal_whatever_came_before(name: str, search: Search) -> None:
    values, history, now = draw(search, generator(0)), lived(search, 0), Now(4, 0.5)
    found = EXPLORERS[name].explore(values, search, generator(1), history, now)
    assert_legal(found, search)
    assert found == EXPLORERS[name].explore(values, search, generator(1), history, now)


@pytest.mark.parametrize("rule", [Perturb(), Resample()])
@searches
def test_who_learns_nothing_does_not_look_back(rule: Explorer, search: Search) -> None:
    values = draw(search, generator(0))
    one = rule.explore(values, search, generator(1), lived(search, 0), Now(4, 0.5))
    assert one == rule.explore(values, search, generator(1))


@explorers
@searches
def test_what_goes_in_is_left_alone(name: str, search: Search) -> None:
    values = draw(search, generator(0))
    before = json.dumps(values)
    out = EXPLORERS[name].explore(values, search, generator(1))
    for value in out.values():
        if isinstance(value, list):
            value.append("changed")
    assert json.dumps(values) == before
    assert_legal(EXPLORERS[name].explore(values, search, generator(1)), search)


@explorers
def test_other_hyperparameters_are_nobodys_business(name: str) -> None:
    values = {"lr": 1e-3, "gamma": 0.9}
    search = {"lr": Continuous(1e-4, 1e-2)}
    assert EXPLORERS[name].explore(values, search, generator(0)).keys() == {"lr"}


@explorers
@searches
def test_missing_values_are_drawn(name: str, search: Search) -> None:
    assert_legal(EXPLORERS[name].explore({}, search, generator(0)), search)


@given(continuous_knobs | integer_knobs, st.data(), st.floats(1.01, 10), seeds)
def test_a_step_from_anywhere_is_legal(
    knob: Numeric, data: st.DataObject, factor: float, seed: int
) -> None:
    value = data.draw(legal_values(knob))
    rule = Perturb(factor, resample=0.0)
    assert_legal(rule.explore({"x": value}, {"x": knob}, generator(seed)), {"x": knob})


def steps(knob: Knob, value: Any, rule: Perturb | None = None) -> Counter[str]:
    """What one step makes of a value, over many draws."""
    rule = rule or Perturb(factor=2.0, resample=0.0)
    return Counter(
        text(rule.explore({"x": value}, {"x": knob}, generator("steps", n))["x"])
        for n in range(300)
    )


@pytest.mark.parametrize(
    ("knob", "value", "expected"),
    [
        (Continuous(0.1, 10.0, "log"), 1.0, {"0.5", "2.0"}),
        (Continuous(0.1, 10.0), 1.0, {"0.5", "2.0"}),
        (Continuous(0.1, 10.0), 8.0, {"4.0", "10.0"}),
        (Continuous(0.1, 10.0), 0.15, {"0.1", "0.3"}),
        # Zero is legal: a step is the width, were the factor 2.
        (Continuous(0.0, 10.0), 0.0, {"0.0", "10.0"}),
        (Continuous(-1.0, 1.0), 0.0, {"-1.0", "1.0"}),
        (Integer(1, 100), 10, {"5", "20"}),
        (Integer(1, 100), 1, {"1", "2"}),
        (Integer(1, 100), 100, {"50", "100"}),
        (Integer(-5, 5), 0, {"-5", "5"}),
        (Choice((1, 2, 3)), 2, {"1", "3"}),
        (Choice((1, 2, 3)), 1, {"1", "2"}),
        (Choice((1, 2, 3)), 3, {"2", "3"}),
        (Choice(("only",)), "only", {'"only"'}),
        (Choice(([64], [64, 64], [256])), [64, 64], {"[64]", "[256]"}),
        # True, 1 and 1.0 are equal to Python, and three values here.
        (Choice((True, "a", 1, "b", 1.0)), 1, {'"a"', '"b"'}),
    ],
)
def test_steps_worked_by_hand(knob: Knob, value: Any, expected: set[str]) -> None:
    counted = steps(knob, value)
    assert set(counted) == expected
    assert min(counted.values()) > 100 or len(expected) == 1


@pytest.mark.parametrize("value", [7, 8, 9])
def test_an_integer_moves_by_one_at_least(value: int) -> None:
    found = set(steps(Integer(1, 100), value, Perturb(factor=1.001, resample=0.0)))
    assert found == {str(value - 1), str(value + 1)}


def test_a_value_outside_the_range_is_clipped_into_it() -> None:
    assert set(steps(Continuous(1.0, 2.0), 50.0)) == {"2.0"}
    assert set(steps(Integer(1, 2), 50)) == {"2"}


def test_a_choice_that_is_no_longer_there_is_drawn_anew() -> None:
    assert set(steps(Choice(("a", "b", "c")), "gone")) == {'"a"', '"b"', '"c"'}


def test_resampling_happens_as_often_as_it_should() -> None:
    knob = Continuous(0.1, 10.0)
    counted = steps(knob, 1.0, Perturb(factor=2.0, resample=0.25))
    stepped = counted["0.5"] + counted["2.0"]
    assert 190 < stepped < 260


def test_resampling_forgets_the_value() -> None:
    knob = {"x": Continuous(0.0, 1.0)}
    one = Resample().explore({"x": 0.0}, knob, generator(0))
    assert one == Resample().explore({"x": 1.0}, knob, generator(0))


def test_weights_of_terms_are_no_hyperparameter() -> None:
    search = {"x": Simplex(("a", "b"))}
    with pytest.raises(TypeError, match="cannot be a Simplex"):
        Perturb(resample=0.0).explore({"x": {"a": 0.5, "b": 0.5}}, search, generator(0))


@pytest.mark.parametrize("factor", [1.0, 0.5, -2.0])
def test_a_factor_must_move(factor: float) -> None:
    with pytest.raises(ValueError, match="`factor > 1` must hold, but got"):
        Perturb(factor)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_probability_must_be_one(share: float) -> None:
    with pytest.raises(ValueError, match="`0 <= resample <= 1` must hold, but got"):
        Perturb(resample=share)


SCHEDULE = Prescribed(((0, {"lr": 0.1, "layers": [8, 8]}), (4, {"lr": 0.2}), (6, {"layers": [9]})))


@pytest.mark.parametrize(
    ("iteration", "lr", "layers"),
    [(0, 0.1, [8, 8]), (3, 0.1, [8, 8]), (4, 0.2, [8, 8]), (5, 0.2, [8, 8]), (9, 0.2, [9])],
)
def test_values_are_those_that_are_in_force(iteration: int, lr: float, layers: list[int]) -> None:
    values = {"lr": 0.7, "gamma": 0.9}
    found = SCHEDULE.explore(values, {}, generator(0), (), Now(iteration, -math.inf))
    assert found == SCHEDULE.at(iteration) == {"lr": lr, "layers": layers}
    assert values == {"lr": 0.7, "gamma": 0.9}


def test_nothing_is_in_force_at_a_time_that_is_not_known() -> None:
    assert SCHEDULE.explore({"lr": 0.7}, {}, generator(0)) == {}


def test_a_schedule_is_a_value_that_cannot_be_changed() -> None:
    SCHEDULE.at(0)["layers"].append(7)
    assert SCHEDULE.at(0)["layers"] == [8, 8]
    again = pickle.loads(pickle.dumps(SCHEDULE))
    assert (again, hash(again)) == (SCHEDULE, hash(SCHEDULE))
