"""A Gaussian over the numeric knobs: where it draws, what it refuses."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from distribution_catalogue import CARTPOLE, FIXED, MAZE, gaussians, numeric_knobs, seeds, spaces
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.distributions import EnvSpace, Gaussian
from orchestrator.gaussian import numeric, position
from orchestrator.knobs import Choice, Continuous, Integer, Knob, Numeric, Range
from orchestrator.seeding import generator

PLANE = EnvSpace({"x": Continuous(0, 10), "y": Continuous(1, 100, "log"), "c": Choice((1, 2, 3))})
TILTED = Gaussian(PLANE, (0.5, 0.4), ((0.01, 0.006), (0.006, 0.0064)))


def drawn(gaussian: Gaussian, count: int = 20_000) -> list[list[float]]:
    rng = generator("gaussian")
    return [position(gaussian.space, gaussian.sample(rng)) for _ in range(count)]


def only(knob: Knob, center: float, variance: float) -> Gaussian:
    return Gaussian(EnvSpace({"x": knob}), (center,), ((variance,),))


def test_it_has_the_moments_it_was_given() -> None:
    positions = np.array(drawn(TILTED))
    assert positions.mean(axis=0) == pytest.approx([0.5, 0.4], abs=0.005)
    assert np.cov(positions.T) == pytest.approx(np.array(TILTED.covariance), abs=0.0005)


def test_log_knobs_are_drawn_in_log_space() -> None:
    rng = generator(0)
    values = [only(Continuous(1, 100, "log"), 0.5, 0.01).sample(rng)["x"] for _ in range(5000)]
    assert np.median(values) == pytest.approx(10, rel=0.03)
    assert np.std(np.log10(values)) == pytest.approx(0.2, rel=0.05)


def test_bounds_get_the_mass_beyond_them() -> None:
    rng = generator(0)
    gaussian = only(Continuous(-1, 3), 0.0, 0.01)
    values = [gaussian.sample(rng)["x"] for _ in range(5000)]
    assert values.count(-1.0) / 5000 == pytest.approx(0.5, abs=0.03)
    assert max(values) < 3


def test_integers_are_rounded_to_the_nearest() -> None:
    rng = generator(0)
    gaussian = only(Integer(0, 10), 0.5, 0.01)
    counts = Counter(gaussian.sample(rng)["x"] for _ in range(5000))
    assert all(type(value) is int for value in counts)
    # Within half a step, 0.05 of the width, are 38 % of what is drawn.
    assert counts[5] / 5000 == pytest.approx(math.erf(0.5 / math.sqrt(2)), abs=0.03)


def test_other_knobs_are_drawn_from_all_that_is_legal() -> None:
    rng = generator(0)
    counts = Counter(TILTED.sample(rng)["c"] for _ in range(6000))
    assert set(counts) == {1, 2, 3}
    assert min(counts.values()) > 1800


def test_a_singular_covariance_draws_a_line() -> None:
    gaussian = Gaussian(PLANE, (0.5, 0.5), ((0.01, 0.02), (0.02, 0.04)))
    for x, y in drawn(gaussian, 200):
        if 0 < y < 1:
            assert y - 0.5 == pytest.approx(2 * (x - 0.5))


def test_no_covariance_draws_one_point() -> None:
    gaussian = only(Continuous(2, 4), 0.25, 0.0)
    assert {gaussian.sample(generator(seed))["x"] for seed in range(10)} == {2.5}
    assert gaussian.contains({"x": 2.5})
    assert not gaussian.contains({"x": 2.6})


def test_what_is_far_from_the_center_is_not_contained() -> None:
    gaussian = only(Continuous(0, 1), 0.5, 0.0001)
    assert gaussian.contains({"x": 0.599})
    assert not gaussian.contains({"x": 0.601})
    assert not gaussian.contains({"x": 1.1})


def test_a_box_reaches_so_many_deviations_and_no_further_than_is_legal() -> None:
    marginals = TILTED.about(2).marginals
    x, y = marginals["x"], marginals["y"]
    assert isinstance(x, Range)
    assert isinstance(y, Range)
    assert (x.low, x.high) == pytest.approx((3, 7))
    assert (y.low, y.high) == pytest.approx((100**0.24, 100**0.56))
    assert marginals["c"] == PLANE.knobs["c"].full()
    assert TILTED.about(100).marginals == PLANE.full().marginals


@given(st.data(), spaces(), seeds)
def test_most_is_drawn_within_a_box_of_eight_deviations(
    data: st.DataObject, space: EnvSpace, seed: int
) -> None:
    gaussian = data.draw(gaussians(space))
    rng = generator(seed)
    assert all(gaussian.about(8).contains(gaussian.sample(rng)) for _ in range(5))


def test_a_position_counts_the_numeric_knobs_in_order() -> None:
    assert list(numeric(MAZE)) == ["budget", "size", "slip"]
    level = {**MAZE.full().sample(generator(0)), "budget": 1000, "size": 3, "slip": 0.15}
    assert position(MAZE, level) == [1.0, 0.0, 0.5]


@given(numeric_knobs, st.floats(0, 1))
def test_a_point_is_drawn_where_it_is(knob: Numeric, center: float) -> None:
    level = only(knob, center, 0.0).sample(generator(0))
    assert level == {"x": knob.from_unit(center)}


def test_roundings_of_a_covariance_are_taken_as_such() -> None:
    gaussian = Gaussian(PLANE, (0.5, 0.5), ((0.01, 0.01 + 1e-13), (0.01, 0.01)))
    assert gaussian.covariance[0][1] == gaussian.covariance[1][0] == pytest.approx(0.01)
    again = Gaussian(PLANE, gaussian.center, gaussian.covariance)
    assert again == gaussian


def test_the_largest_covariance_is_drawn_from_like_any() -> None:
    gaussian = only(Continuous(0, 1), 0.5, 1e308)
    assert {gaussian.sample(generator(seed))["x"] for seed in range(10)} == {0.0, 1.0}


def test_its_picture_shows_two_deviations() -> None:
    assert TILTED.picture() == "about c 1 33% 2 33% 3 33% · x 3…7 · y 3.02…13.2"


ZERO = ((0.0, 0.0), (0.0, 0.0))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: Gaussian(PLANE, (0.5,), ZERO),
            r"`center` must have one entry for each of the numeric knobs \['x', 'y'\], but got 1",
        ),
        (
            lambda: Gaussian(PLANE, (0.5, 1.5), ZERO),
            "`center` must be from 0 to 1, but got 1.5 for knob 'y'",
        ),
        (lambda: Gaussian(PLANE, (0.5, math.nan), ZERO), r"`center\[1\]` must be a finite number"),
        (lambda: Gaussian(PLANE, 3, ZERO), "`center` must be a list of numbers, but got 3"),  # type: ignore[arg-type]
        (lambda: Gaussian(PLANE, (0.5, 0.5), 1), "`covariance` must be a list of rows, but got 1"),  # type: ignore[arg-type]
        (
            lambda: Gaussian(PLANE, (0.5, 0.5), ((0.1,), (0.1,))),
            r"must have 2 rows of 2 numbers, .* but got rows of \[1, 1\]",
        ),
        (
            lambda: Gaussian(PLANE, (0.5, 0.5), ((0.1, math.inf), (0.0, 0.1))),
            r"`covariance\[0\]\[1\]` must be a finite number, but got inf",
        ),
        (
            lambda: Gaussian(PLANE, (0.5, 0.5), ((0.1, 0.05), (0.0, 0.1))),
            r"`covariance` must be symmetric, but got 0.05 at \[0\]\[1\], 0.0 at \[1\]\[0\]",
        ),
        (
            lambda: Gaussian(PLANE, (0.5, 0.5), ((0.1, 0.2), (0.2, 0.1))),
            "must be positive semi-definite, but its lowest eigenvalue is -0.1",
        ),
        (
            lambda: Gaussian(FIXED, (0.5, 0.5), ((-1.0, 0.0), (0.0, 0.0))),
            "must be positive semi-definite, but its lowest eigenvalue is -1",
        ),
    ],
)
def test_invalid_gaussians_are_refused(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_positions_are_read_from_legal_levels_alone() -> None:
    level = {**CARTPOLE.full().sample(generator(0)), "gravity": 99.0}
    with pytest.raises(ValueError, match=r"must be from 5.0 to 20.0"):
        position(CARTPOLE, level)
