"""How knobs are drawn, in the same columns for every kind of distribution."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from distribution_catalogue import CARTPOLE, DISTRIBUTIONS, GRID, MAZE, SPACES

from analysis.drawn import Drawn, drawn, knob_of
from orchestrator.distributions import EnvSpace, Gaussian, Levels, Mixture, Product
from orchestrator.knobs import Blend, Choice, Continuous, Knob, Range, Weights
from orchestrator.sketch import Sketch

Written = Callable[[Knob], dict[str, Any]]

LAYOUTS = ['"open"', '"rooms"', "[1,[2.5,null]]", "true", "1"]


def early(size: int, layout: int) -> Product:
    """A product over the maze that is drawn from one corner of it."""
    return Product(
        MAZE,
        {
            "size": Range(size, size + 2),
            "budget": Range(10, 100),
            "layout": Weights(tuple(float(place == layout) for place in range(5))),
            "reward": Blend((0.2, 0.3, 0.5), 0.4),
            "slip": Range(0.0, 0.1),
        },
    )


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_knobs_are_read_as_the_file_writes_them(space: Any, written: Written) -> None:
    for name, knob in space.knobs.items():
        assert knob_of(written(knob)) == knob, name


def test_a_product_has_ends_weights_and_a_spread() -> None:
    found = drawn(early(size=5, layout=1).to_json(), MAZE.knobs)
    assert list(found) == list(MAZE.names)
    assert (found["size"].low, found["size"].high, found["size"].weights) == (5.0, 7.0, None)
    assert found["layout"].weights == dict(zip(LAYOUTS, (0, 1, 0, 0, 0), strict=True))
    assert math.isnan(found["layout"].low)
    assert found["reward"].weights == pytest.approx({"speed": 0.2, "energy": 0.3, "safety": 0.5})
    assert found["reward"].spread == 0.4
    assert math.isnan(found["size"].spread)


def test_of_a_mixture_the_parts_that_are_drawn_count() -> None:
    mixture = Mixture(
        ((1, early(size=5, layout=0)), (3, early(size=9, layout=1)), (0, early(25, 2)))
    )
    found = drawn(mixture.to_json(), MAZE.knobs)
    assert (found["size"].low, found["size"].high) == (5.0, 11.0)
    assert found["layout"].weights == pytest.approx(
        dict(zip(LAYOUTS, (0.25, 0.75, 0, 0, 0), strict=True))
    )
    assert math.isnan(found["reward"].spread)


def test_parts_of_a_mixture_may_be_of_any_kind() -> None:
    level = {"length": 1.0, "gravity": 6.0, "masspole": 0.1}
    mixture = Mixture(
        (
            (1, Gaussian(CARTPOLE, (0.8, 0.5, 0.5), ((0.0,) * 3,) * 3)),
            (3, Levels(CARTPOLE, (level, {**level, "gravity": 5.0}), (1, 0))),
            (0, CARTPOLE.full()),
        )
    )
    gravity = drawn(mixture.to_json(), CARTPOLE.knobs)["gravity"]
    assert (gravity.low, gravity.high) == pytest.approx((6.0, 17.0))


def test_weights_of_a_mixture_count_by_how_often_each_level_is_drawn() -> None:
    level = {"size": 5, "budget": 10, "slip": 0.1, "layout": "open"}
    level["reward"] = {"speed": 1.0, "energy": 0.0, "safety": 0.0}
    buffer = Levels(MAZE, (level, {**level, "layout": "rooms"}), (1, 3))
    found = drawn(Mixture(((1, buffer), (1, early(size=5, layout=0)))).to_json(), MAZE.knobs)
    assert found["layout"].weights == pytest.approx(
        dict(zip(LAYOUTS, (0.625, 0.375, 0, 0, 0), strict=True))
    )


def test_a_gaussian_ends_two_deviations_from_its_center() -> None:
    space = EnvSpace(
        {"x": Continuous(0, 10), "y": Continuous(1, 10_000, "log"), "c": Choice((1, 2))}
    )
    gaussian = Gaussian(space, (0.5, 0.25), ((0.01, 0.0), (0.0, 0.0625)))
    found = drawn(gaussian.to_json(), space.knobs)
    assert (found["x"].low, found["x"].high) == pytest.approx((3.0, 7.0))
    # 0.25 - 2 × 0.25 is outside of what is legal.
    assert (found["y"].low, found["y"].high) == pytest.approx((1.0, 1000.0))
    assert found["c"].weights == {"1": 0.5, "2": 0.5}


def test_of_a_buffer_the_levels_that_are_drawn_count() -> None:
    level = {"budget": 10, "slip": 0.1, "reward": {"speed": 1.0, "energy": 0.0, "safety": 0.0}}
    other = {"budget": 40, "slip": 0.3, "reward": {"speed": 0.0, "energy": 1.0, "safety": 0.0}}
    buffer = Levels(
        MAZE,
        (
            {**level, "size": 5, "layout": 1},
            {**other, "size": 9, "layout": True},
            {**level, "size": 31, "layout": "open"},
        ),
        (3, 1, 0),
    )
    found = drawn(buffer.to_json(), MAZE.knobs)
    assert (found["size"].low, found["size"].high) == (5.0, 9.0)
    # True and 1 are different choices.
    assert found["layout"].weights == pytest.approx(
        dict(zip(LAYOUTS, (0, 0, 0, 0.25, 0.75), strict=True))
    )
    assert found["reward"].weights == pytest.approx({"speed": 0.75, "energy": 0.25, "safety": 0})


def test_of_cells_their_number_counts() -> None:
    level = {"walls": [3, 7, 9], "start": 0, "goal": 24}
    buffer = Levels(GRID, (level, {**level, "walls": []}), (1, 1))
    walls = drawn(buffer.to_json(), GRID.knobs)["walls"]
    assert (walls.low, walls.high) == (0.0, 3.0)
    ranges = drawn(GRID.initial().to_json(), GRID.knobs)["walls"]
    assert (ranges.low, ranges.high) == (0.0, 3.0)


def test_a_sketch_is_read_like_what_it_looks_like() -> None:
    looks = early(size=5, layout=1)
    sketch = Sketch(levels=4000, digest="0", looks=looks)
    assert repr(drawn(sketch.to_json(), MAZE.knobs)) == repr(drawn(looks.to_json(), MAZE.knobs))


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_every_distribution_has_a_column_for_every_knob(name: str) -> None:
    distribution = DISTRIBUTIONS[name]
    found = drawn(distribution.to_json(), distribution.space.knobs)
    assert list(found) == list(distribution.space.names)
    for how in found.values():
        assert how.low <= how.high or (how.weights and math.isclose(sum(how.weights.values()), 1))


def test_the_smallest_buffer_is_a_point() -> None:
    buffer = DISTRIBUTIONS["some-levels-unused"].to_json()
    assert drawn(buffer, CARTPOLE.knobs)["length"] == Drawn(1.0, 1.0, None, math.nan)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"kind": "product", "marginals": {}}, "must be over the knobs .*gravity"),
        ({"kind": "levels", "levels": [{"length": 1}], "weights": [1.0]}, r"got \['length'\]"),
        ({"kind": "normal"}, "must be product, gaussian, mixture, levels or sketch, .*'normal'"),
    ],
)
def test_other_distributions_are_refused(data: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        drawn(data, CARTPOLE.knobs)
