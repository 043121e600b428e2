"""How numbers, times and ranges are written."""

from __future__ import annotations

import math

import pytest

from analysis.comparison.values import Estimate
from analysis.report import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "∞"),
        (-math.inf, "−∞"),
        (0.0, "0"),
        (500.0, "500"),
        (12.345, "12.3"),
        (-12.345, "−12.3"),
        (0.00123456, "0.00123"),
        (1.0e-5, "1e-05"),
        (163_999.6, "164\u2009000"),
        (640_668, "640\u2009668"),
        (True, "true"),
        ("adam", "adam"),
        ((64, 64), "[64,64]"),
    ],
)
def test_numbers_are_short(value: object, text: str) -> None:
    assert wording.number(value) == text


def test_an_interval_stands_behind_its_value() -> None:
    assert wording.interval(Estimate(12.34, -1.0, 20.0)) == "12.3 [−1, 20]"
    assert wording.interval(Estimate(12.34, math.nan, math.nan)) == "12.3"
    assert wording.interval(None) == "–"


@pytest.mark.parametrize(
    ("numbers", "text"),
    [((), "–"), ((3,), "3"), ((0, 1), "0, 1"), ((4, 0, 1, 2, 7), "0–2, 4, 7")],
)
def test_neighbouring_seeds_are_written_together(numbers: tuple[int, ...], text: str) -> None:
    assert wording.ranges(numbers) == text


def test_p_values_are_never_zero() -> None:
    assert wording.p_value(0.03456) == "0.035"
    assert wording.p_value(0.0) == "<0.001"
    assert wording.p_value(math.nan) == "–"


def test_one_thing_is_not_two() -> None:
    assert (wording.counted(1, "arm"), wording.counted(2, "arm")) == ("1 arm", "2 arms")


def test_moments_say_their_zone() -> None:
    assert wording.moment("2026-11-06T15:18:33.646+00:00") == "6 Nov 2026, 15:18 UTC"
    assert wording.moment(None) == wording.moment("") == "–"


@pytest.mark.parametrize(
    ("end", "text"),
    [
        ("2026-11-26T00:00:00+00:00", "0 s"),
        ("2026-11-26T00:00:45+00:00", "45 s"),
        ("2026-11-26T00:01:20+00:00", "1 min 20 s"),
        ("2026-11-26T02:05:59+00:00", "2 h 5 min"),
        ("2026-11-29T00:10:00+00:00", "3 d"),
        (None, "–"),
    ],
)
def test_how_long_it_took(end: str | None, text: str) -> None:
    assert wording.lasted("2026-11-26T00:00:00+00:00", end) == text


def test_knobs_are_drawn_from_ranges_or_by_weights() -> None:
    assert wording.drawn(5.0, 20.0, None) == "5…20"
    assert wording.drawn(9.81, 9.81, None) == "9.81"
    weights = {'"open"': 0.25, "[1,2]": 0.0, "true": 0.75}
    assert wording.drawn(math.nan, math.nan, weights) == "true 75% · open 25%"
    assert wording.drawn(math.nan, math.nan, {"speed": 1.0}) == "speed 100%"
