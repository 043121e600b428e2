"""What the journal keeps of a distribution: all of it, or a sketch of many levels."""

from __future__ import annotations

import json

import pytest
from distribution_catalogue import CARTPOLE, DISTRIBUTIONS, MAZE, SPACES
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.distributions import Distribution, EnvSpace, Levels, Mixture
from orchestrator.knobs import Blend, Choice, Continuous, Integer, Range, Simplex, Weights
from orchestrator.seeding import generator
from orchestrator.sketch import Sketch, journalled, journalled_from_json


def buffer(space: EnvSpace, count: int, seed: int = 0) -> Levels:
    rng = generator("buffer", seed)
    levels = tuple(space.full().sample(rng) for _ in range(count))
    return Levels(space, levels, (1.0,) * count)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS.values(), ids=DISTRIBUTIONS)
def test_what_holds_few_levels_is_kept_as_it_is(distribution: Distribution) -> None:
    assert journalled(distribution) is distribution
    data = json.loads(json.dumps(distribution.to_json()))
    assert journalled_from_json(distribution.space, data) == distribution


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_many_levels_are_sketched_within_the_legal_ranges(space: EnvSpace) -> None:
    sketch = journalled(buffer(space, 40))
    assert isinstance(sketch, Sketch)
    assert sketch.levels == 40
    assert sketch.space == space
    assert journalled_from_json(space, json.loads(json.dumps(sketch.to_json()))) == sketch
    assert sketch.picture().startswith("40 levels · ")


def test_levels_that_are_never_drawn_do_not_count() -> None:
    many = buffer(CARTPOLE, 40)
    few = Levels(CARTPOLE, many.levels, (1.0,) * 3 + (0.0,) * 37)
    assert journalled(few) is few
    never = Mixture(((1.0, CARTPOLE.full()), (0.0, many)))
    assert journalled(never) is never


def test_a_mixture_with_a_large_buffer_is_sketched() -> None:
    sketch = journalled(Mixture(((1.0, CARTPOLE.full()), (1.0, buffer(CARTPOLE, 40)))))
    assert isinstance(sketch, Sketch)
    assert sketch.levels == 40


def test_a_sketch_looks_like_what_it_was_made_of() -> None:
    space = EnvSpace(
        {
            "x": Continuous(0.0, 100.0),
            "n": Integer(0, 50),
            "c": Choice(("a", "b")),
            "s": Simplex(("u", "v")),
        }
    )
    low = {"x": 10.0, "n": 5, "c": "a", "s": {"u": 0.75, "v": 0.25}}
    levels = tuple({**low, "x": 10.0 + index, "n": 5 + index % 3} for index in range(20))
    sketch = journalled(Levels(space, levels, (1.0,) * 20))
    assert isinstance(sketch, Sketch)
    x, n, c, s = (sketch.looks.marginals[name] for name in ("x", "n", "c", "s"))
    assert isinstance(x, Range)
    assert 10.0 <= x.low <= 12.0
    assert 27.0 <= x.high <= 29.0
    assert n == Range(5, 7)
    assert c == Weights((1.0, 0.0))
    assert isinstance(s, Blend)
    assert s.center == pytest.approx((0.75, 0.25))
    assert s.spread == pytest.approx(0.0)


def test_a_whole_simplex_is_sketched_as_widely_spread() -> None:
    space = EnvSpace({"s": Simplex(("u", "v", "w"))})
    sketch = journalled(buffer(space, 200))
    assert isinstance(sketch, Sketch)
    found = sketch.looks.marginals["s"]
    assert isinstance(found, Blend)
    assert found.center == pytest.approx((1 / 3,) * 3, abs=0.1)
    assert found.spread > 0.8


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_sketches_are_equal_exactly_where_what_they_show_is(one: int, other: int) -> None:
    same = journalled(buffer(MAZE, 20, one)) == journalled(buffer(MAZE, 20, other))
    assert same is (one == other)


def test_a_malformed_sketch_is_refused() -> None:
    with pytest.raises(ValueError, match=r"a sketch must have the keys .*`digest` is missing"):
        journalled_from_json(CARTPOLE, {"kind": "sketch", "levels": 20, "marginals": {}})
