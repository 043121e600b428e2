"""Env spaces and distributions that the suites share, and hypothesis strategies for more."""

from __future__ import annotations

import math

from hypothesis import settings
from hypothesis import strategies as st

from orchestrator.distributions import Distribution, EnvSpace, Levels, Mixture, Product
from orchestrator.knobs import (
    LARGEST_INTEGER,
    Blend,
    Choice,
    Continuous,
    Integer,
    Knob,
    Marginal,
    Numeric,
    Range,
    Simplex,
    Weights,
)
from orchestrator.seeding import generator

# The same examples in every run, and no limit on how long a busy machine takes over one.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.load_profile("steady")

EMPTY = EnvSpace({})
CARTPOLE = EnvSpace(
    {
        "length": Continuous(0.25, 2.0, "log"),
        "gravity": Continuous(5.0, 20.0),
        "masspole": Continuous(0.05, 0.5, "log"),
    },
    {"masspole": Range(0.1, 0.1)},
)
MAZE = EnvSpace(
    {
        "size": Integer(3, 31),
        "budget": Integer(1, 1000, "log"),
        "layout": Choice(("open", "rooms", [1, [2.5, None]], True, 1)),
        "reward": Simplex(("speed", "energy", "safety")),
        "slip": Continuous(0.0, 0.3),
    },
    {"size": Range(3, 3), "reward": Blend((1, 0, 0), 0.0), "slip": Range(0.0, 0.0)},
)
FIXED = EnvSpace(
    {"gravity": Continuous(9.8, 9.8), "seats": Integer(4, 4), "map": Choice(("only",))}
)

SPACES: dict[str, EnvSpace] = {
    "empty": EMPTY,
    "cartpole": CARTPOLE,
    "maze": MAZE,
    "fixed": FIXED,
}


def _levels(space: EnvSpace, count: int) -> Levels:
    rng = generator("catalogue", count)
    drawn = tuple(space.full().sample(rng) for _ in range(count))
    return Levels(space, drawn, tuple(range(count, 0, -1)))


_MAZE_LATE = Product(
    MAZE,
    {
        "size": Range(9, 15),
        "budget": Range(10, 100),
        "layout": Weights((0.0, 0.5, 0.25, 0.25, 0.0)),
        "reward": Blend((0.2, 0.3, 0.5), 0.4),
        "slip": Range(0.1, 0.2),
    },
)

DISTRIBUTIONS: dict[str, Distribution] = {
    "empty": EMPTY.full(),
    "cartpole-full": CARTPOLE.full(),
    "cartpole-initial": CARTPOLE.initial(),
    "maze-full": MAZE.full(),
    "maze-initial": MAZE.initial(),
    "maze-late": _MAZE_LATE,
    "fixed": FIXED.full(),
    "mixture": Mixture(((1, MAZE.initial()), (2, _MAZE_LATE), (0, MAZE.full()))),
    "mixture-of-one": Mixture(((1, CARTPOLE.full()),)),
    "levels": _levels(MAZE, 7),
    "one-level": _levels(CARTPOLE, 1),
    "empty-levels": Levels(EMPTY, ({}, {}), (0.5, 0.5)),
    "some-levels-unused": Levels(
        CARTPOLE,
        (
            {"length": 0.5, "gravity": 9.8, "masspole": 0.1},
            {"length": 1.0, "gravity": 5.0, "masspole": 0.1},
        ),
        (0.0, 1.0),
    ),
}

_finite = st.floats(allow_nan=False, allow_infinity=False)
_positive = st.floats(min_value=0, exclude_min=True, allow_nan=False, allow_infinity=False)
_whole = st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | st.integers(-20, 20)
_natural = st.integers(1, LARGEST_INTEGER) | st.integers(1, 20)
_scalars = st.none() | st.booleans() | st.integers(-3, 3) | _finite | st.text(max_size=5)
_names = st.text("abcdefgh", min_size=1, max_size=3)

amounts = st.floats(0, 1)
seeds = st.integers(0, 2**31 - 1)


def _ordered(strategy: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[float, float]]:
    return st.tuples(strategy, strategy).map(lambda pair: (min(pair), max(pair)))


continuous_knobs: st.SearchStrategy[Continuous] = _ordered(_finite).filter(
    lambda pair: math.isfinite(pair[1] - pair[0])
).map(lambda pair: Continuous(*pair)) | _ordered(_positive).map(
    lambda pair: Continuous(*pair, "log")
)
integer_knobs: st.SearchStrategy[Integer] = st.tuples(_whole, _whole).map(
    lambda pair: Integer(min(pair), max(pair))
) | st.tuples(_natural, _natural).map(lambda pair: Integer(min(pair), max(pair), "log"))
numeric_knobs: st.SearchStrategy[Numeric] = continuous_knobs | integer_knobs
choice_knobs: st.SearchStrategy[Choice] = st.lists(
    _scalars | st.lists(_scalars, max_size=2), min_size=1, max_size=5, unique_by=repr
).map(lambda values: Choice(tuple(values)))
simplex_knobs: st.SearchStrategy[Simplex] = st.lists(
    _names, min_size=2, max_size=4, unique=True
).map(lambda terms: Simplex(tuple(terms)))
knobs: st.SearchStrategy[Knob] = numeric_knobs | choice_knobs | simplex_knobs


def weight_lists(size: int) -> st.SearchStrategy[tuple[float, ...]]:
    """`size` relative weights of which at least one is above zero."""
    weight = st.floats(0, 1e6) | st.just(0.0)
    return (
        st.lists(weight, min_size=size, max_size=size)
        .filter(lambda weights: max(weights) > 0)
        .map(tuple)
    )


@st.composite
def legal_values(draw: st.DrawFn, knob: Numeric) -> float:
    """A legal value of a numeric knob, often one of its bounds."""
    ends = st.sampled_from([0.0, 1.0])
    return knob.from_unit(draw(st.floats(0, 1) | ends))


@st.composite
def marginals(draw: st.DrawFn, knob: Knob) -> Marginal:
    """A marginal that `knob` may be drawn by."""
    match knob:
        case Numeric():
            return knob.fit(Range(*sorted(draw(st.tuples(legal_values(knob), legal_values(knob))))))
        case Choice():
            return Weights(draw(weight_lists(len(knob.values))))
        case Simplex():
            return Blend(draw(weight_lists(len(knob.terms))), draw(st.floats(0, 1)))
    raise NotImplementedError(f"no strategy for the marginals of {knob}")


@st.composite
def spaces(draw: st.DrawFn) -> EnvSpace:
    """An env space of up to three knobs of any kind."""
    return EnvSpace(draw(st.dictionaries(_names, knobs, max_size=3)))


@st.composite
def products(draw: st.DrawFn, space: EnvSpace) -> Product:
    """A product over `space`."""
    return Product(space, {name: draw(marginals(knob)) for name, knob in space.knobs.items()})


@st.composite
def distributions(draw: st.DrawFn) -> Distribution:
    """A distribution of any kind over any space."""
    space = draw(spaces())
    kind = draw(st.sampled_from(["product", "mixture", "levels"]))
    size = draw(st.integers(1, 3))
    parts = [draw(products(space)) for _ in range(size)]
    weights = draw(weight_lists(size))
    if kind == "product":
        return parts[0]
    if kind == "mixture":
        return Mixture(tuple(zip(weights, parts, strict=True)))
    rng = generator("levels", draw(seeds))
    return Levels(space, tuple(part.sample(rng) for part in parts), weights)
