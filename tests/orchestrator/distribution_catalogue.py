"""Env spaces and distributions that the suites share, and hypothesis strategies for more."""

from __future__ import annotations

import math
from operator import mul

from hypothesis import settings
from hypothesis import strategies as st

from orchestrator.distributions import (
    Distribution,
    EnvSpace,
    Gaussian,
    Levels,
    Mixture,
    Product,
)
from orchestrator.gaussian import numeric
from orchestrator.knobs import (
    LARGEST_INTEGER,
    Blend,
    Cells,
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
GRID = EnvSpace(
    {"walls": Cells(25, 0, 12), "start": Integer(0, 24), "goal": Integer(0, 24)},
    {"walls": Range(0, 3)},
)

SPACES: dict[str, EnvSpace] = {
    "empty": EMPTY,
    "cartpole": CARTPOLE,
    "maze": MAZE,
    "fixed": FIXED,
    "grid": GRID,
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

MUTABLE: dict[str, Distribution] = {
    "empty": EMPTY.full(),
    "cartpole-full": CARTPOLE.full(),
    "cartpole-initial": CARTPOLE.initial(),
    "maze-full": MAZE.full(),
    "maze-initial": MAZE.initial(),
    "maze-late": _MAZE_LATE,
    "fixed": FIXED.full(),
    "grid-full": GRID.full(),
    "grid-initial": GRID.initial(),
    "mixture": Mixture(((1, MAZE.initial()), (2, _MAZE_LATE), (0, MAZE.full()))),
    "mixture-of-one": Mixture(((1, CARTPOLE.full()),)),
    "levels": _levels(MAZE, 7),
    "grid-levels": _levels(GRID, 4),
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
    "mixture-of-kinds": Mixture(((1, _levels(MAZE, 3)), (3, _MAZE_LATE))),
}
"""Those that the mutation operators know how to change."""

_TILTED = Gaussian(
    CARTPOLE, (0.5, 0.0, 0.9), ((0.04, 0.01, 0.0), (0.01, 0.02, 0.0), (0.0, 0.0, 0.0))
)

DISTRIBUTIONS: dict[str, Distribution] = {
    **MUTABLE,
    "gaussian": _TILTED,
    # Budget and slip move together: a line across the maze.
    "gaussian-singular": Gaussian(
        MAZE, (0.5, 0.4, 0.6), ((0.01, 0.0, 0.02), (0.0, 0.0, 0.0), (0.02, 0.0, 0.04))
    ),
    "gaussian-point": Gaussian(CARTPOLE, (0.0, 0.3, 1.0), ((0.0,) * 3,) * 3),
    "gaussian-fixed": Gaussian(FIXED, (0.5, 0.5), ((0.1, 0.0), (0.0, 0.1))),
    "gaussian-empty": Gaussian(EMPTY, (), ()),
    "mixture-with-gaussian": Mixture(
        ((1, CARTPOLE.full()), (3, _TILTED), (0, _levels(CARTPOLE, 2)))
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
_counts = st.integers(0, 40)
cells_knobs: st.SearchStrategy[Cells] = st.tuples(_counts, _counts, st.integers(1, 40)).map(
    lambda drawn: Cells(max(drawn), min(drawn[:2]), max(drawn[:2]))
)
knobs: st.SearchStrategy[Knob] = numeric_knobs | choice_knobs | simplex_knobs | cells_knobs


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
        case Cells(count=count):
            return draw(marginals(count))
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
def gaussians(draw: st.DrawFn, space: EnvSpace) -> Gaussian:
    """A Gaussian over `space`, often a singular one."""
    size = len(numeric(space))
    center = [draw(st.floats(0, 1)) for _ in range(size)]
    entries = st.floats(-1, 1) | st.just(0.0)
    factor = [[draw(entries) for _ in range(size)] for _ in range(size)]
    covariance = [[math.fsum(map(mul, one, other)) for other in factor] for one in factor]
    return Gaussian(space, tuple(center), tuple(map(tuple, covariance)))


@st.composite
def mutable_distributions(draw: st.DrawFn) -> Distribution:
    """A distribution, over any space, of any kind that the mutation operators know."""
    return draw(_over(draw(spaces()), ("product", "levels")))


@st.composite
def distributions(draw: st.DrawFn) -> Distribution:
    """A distribution of any kind over any space."""
    return draw(_over(draw(spaces()), ("product", "levels", "gaussian")))


@st.composite
def _over(draw: st.DrawFn, space: EnvSpace, kinds: tuple[str, ...]) -> Distribution:
    """One of these kinds over `space`, or a mixture of them."""
    size = draw(st.integers(0, 3))
    if size == 0:
        return draw(_plain(space, kinds))
    parts = [draw(_plain(space, kinds)) for _ in range(size)]
    return Mixture(tuple(zip(draw(weight_lists(size)), parts, strict=True)))


@st.composite
def _plain(draw: st.DrawFn, space: EnvSpace, kinds: tuple[str, ...]) -> Distribution:
    match draw(st.sampled_from(kinds)):
        case "gaussian":
            return draw(gaussians(space))
        case "levels":
            size = draw(st.integers(1, 3))
            rng = generator("levels", draw(seeds))
            levels = tuple(draw(products(space)).sample(rng) for _ in range(size))
            return Levels(space, levels, draw(weight_lists(size)))
    return draw(products(space))
