"""First hyperparameters and distributions: legal, seeded, spread out."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from distribution_catalogue import (
    CARTPOLE,
    MAZE,
    SPACES,
    continuous_knobs,
    integer_knobs,
    seeds,
    spaces,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.curricula import Curriculum, DomainRandomization, Evolving, Fixed
from orchestrator.distributions import EnvSpace, Product, distribution_from_json
from orchestrator.explore import Search
from orchestrator.frozen import text
from orchestrator.initial import Beginning, Sampler, draw_random, draw_with_optuna
from orchestrator.knobs import Choice, Continuous, Integer, Knob, Range, Simplex

SAMPLERS: tuple[Sampler, ...] = ("qmc", "random", "tpe")
SEARCH: dict[str, Knob] = {
    "lr": Continuous(1e-5, 1e-2, "log"),
    "clip": Continuous(0.1, 0.4),
    "num_epochs": Integer(1, 20),
    "batch": Integer(256, 8192, "log"),
    "layers": Choice(([64], [64, 64], True, 1, None)),
    "one": Continuous(0.3, 0.3),
    "only": Integer(4, 4),
    "alone": Choice(("x",)),
}

Way = Callable[..., list[Beginning]]


def optuna_way(sampler: Sampler) -> Way:
    def way(
        size: int, space: EnvSpace, search: Search, curriculum: Curriculum, *key: str | int
    ) -> list[Beginning]:
        return draw_with_optuna(size, space, search, curriculum, sampler, *key)

    return way


WAYS: dict[str, Way] = {"plain": draw_random, **{name: optuna_way(name) for name in SAMPLERS}}
everyone = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
everywhere = pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)


def assert_legal(beginnings: list[Beginning], space: EnvSpace, search: Search) -> None:
    """Values in their knobs' own plain types, distributions over the space, all of it JSON."""
    for values, distribution in beginnings:
        assert values.keys() == search.keys()
        for name, knob in search.items():
            cast = knob.cast(values[name])
            assert type(cast) is type(values[name])
            assert text(cast) == text(values[name])
        data = json.loads(json.dumps([values, distribution.to_json()], allow_nan=False))
        assert data[0] == values
        assert distribution_from_json(space, data[1]) == distribution


@everyone
@everywhere
def test_beginnings_are_legal_and_one_for_each_member(way: Way, space: EnvSpace) -> None:
    for size in (0, 1, 5):
        beginnings = way(size, space, SEARCH, Evolving(), 0, "main")
        assert len(beginnings) == size
        assert_legal(beginnings, space, SEARCH)


@everyone
@settings(max_examples=15)
@given(
    spaces(),
    st.dictionaries(st.sampled_from("abc"), continuous_knobs | integer_knobs, max_size=2),
    seeds,
)
def test_beginnings_are_legal_whatever_the_ranges(
    way: Way, space: EnvSpace, search: Search, seed: int
) -> None:
    assert_legal(way(3, space, search, Evolving(), seed), space, search)


@everyone
def test_the_key_alone_decides(way: Way) -> None:
    one = way(4, MAZE, SEARCH, Evolving(), 0, "main")
    assert way(4, MAZE, SEARCH, Evolving(), 0, "main") == one
    for key in ((1, "main"), (0, "other")):
        other = way(4, MAZE, SEARCH, Evolving(), *key)
        for place in range(4):
            assert other[place][0] != one[place][0]
            assert other[place][1] != one[place][1]


@everyone
def test_the_order_in_a_file_is_of_no_account(way: Way) -> None:
    backwards = dict(reversed(SEARCH.items()))
    one = way(4, MAZE, SEARCH, Evolving(), 0)
    assert way(4, MAZE, backwards, Evolving(), 0) == one


@everyone
def test_a_larger_population_begins_with_the_smaller(way: Way) -> None:
    larger = way(6, CARTPOLE, SEARCH, Evolving(), 0)
    assert larger[:3] == way(3, CARTPOLE, SEARCH, Evolving(), 0)


@everyone
def test_members_differ(way: Way) -> None:
    beginnings = way(8, CARTPOLE, SEARCH, Evolving(), 0)
    assert len({values["lr"] for values, _ in beginnings}) == 8
    assert len({distribution for _, distribution in beginnings}) == 8


@everyone
def test_knobs_with_a_start_keep_it(way: Way) -> None:
    for _, distribution in way(6, MAZE, {}, Evolving(), 0):
        assert isinstance(distribution, Product)
        for name, start in MAZE.start.items():
            assert distribution.marginals[name] == start
        assert distribution.marginals["layout"] != MAZE.full().marginals["layout"]


@everyone
@pytest.mark.parametrize("curriculum", [Fixed(), DomainRandomization()])
def test_where_distributions_never_change_all_begin_alike(way: Way, curriculum: Curriculum) -> None:
    beginnings = way(4, CARTPOLE, SEARCH, curriculum, 0)
    assert all(
        distribution == curriculum.begin(CARTPOLE).distribution for _, distribution in beginnings
    )
    assert len({values["lr"] for values, _ in beginnings}) == 4


@everyone
def test_choices_are_the_objects_of_the_list(way: Way) -> None:
    values = (True, 1, 1.0, None, "1", [64, 64], [[64], None])
    search = {"x": Choice(values)}
    drawn = [found["x"] for found, _ in way(60, EnvSpace({}), search, Fixed(), 0)]
    assert {text(each) for each in drawn} == {text(each) for each in values}
    for each in drawn:
        if isinstance(each, list):
            each.append("changed")
    assert search["x"].legal([64, 64])


@everyone
def test_nothing_to_search_is_no_error(way: Way) -> None:
    assert way(2, EnvSpace({}), {}, Evolving(), 0) == [({}, EnvSpace({}).full())] * 2


@everyone
def test_an_integer_reaches_both_ends(way: Way) -> None:
    search = {"n": Integer(0, 3)}
    drawn = {found["n"] for found, _ in way(40, EnvSpace({}), search, Fixed(), 0)}
    assert drawn == {0, 1, 2, 3}


def gaps(values: list[float]) -> float:
    """The widest stretch of [0, 1] without a value."""
    ends = [0.0, *sorted(values), 1.0]
    return max(after - before for before, after in pairwise(ends))


@pytest.mark.parametrize("seed", range(5))
def test_qmc_covers_every_dimension_evenly(seed: int) -> None:
    """Of 16 members each has a sixteenth of every range to itself, as Sobol points have."""
    search = {
        "lr": Continuous(1e-5, 1e-2, "log"),
        "clip": Continuous(0.0, 1.0),
        "n": Integer(0, 10**6),
    }
    beginnings = draw_with_optuna(16, CARTPOLE, search, Evolving(), "qmc", seed)
    for name, knob in search.items():
        units = [knob.to_unit(values[name]) for values, _ in beginnings]
        assert sorted(int(min(unit, 0.999999) * 16) for unit in units) == list(range(16))
        assert gaps(units) <= 2 / 16


def test_qmc_covers_the_first_ranges_too() -> None:
    space = EnvSpace({"x": Continuous(0.0, 1.0)})
    ends: list[float] = []
    for _, distribution in draw_with_optuna(16, space, {}, Evolving(), "qmc", 0):
        assert isinstance(distribution, Product)
        marginal = distribution.marginals["x"]
        assert isinstance(marginal, Range)
        ends += [marginal.low, marginal.high]
    # Two of the ends lie in each sixteenth: one as a low or high of each dimension.
    assert sorted(int(end * 16) for end in ends) == sorted([*range(16)] * 2)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_weights_of_terms_are_no_hyperparameter(sampler: Sampler) -> None:
    search: dict[str, Any] = {"x": Simplex(("a", "b"))}
    with pytest.raises(TypeError, match="cannot be a Simplex"):
        draw_with_optuna(1, EnvSpace({}), search, Fixed(), sampler, 0)
