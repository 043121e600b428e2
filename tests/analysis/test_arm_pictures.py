"""Pictures of arms side by side, and of where the time went."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle, StepPatch

from analysis import pictures
from analysis.pictures.durations import parts_by
from analysis.pictures.style import COLOURS, FAINT, looks


@pytest.fixture
def ax() -> Axes:
    return Figure().subplots()


def bands(*arms: str, seeds: int = 3) -> pd.DataFrame:
    """A learning curve of two points for each arm, better by ten from arm to arm."""
    rows = [
        (arm, steps, 10.0 * place + at, 10.0 * place + at - 1, 10.0 * place + at + 1, seeds)
        for place, arm in enumerate(arms)
        for at, steps in enumerate((1000.0, 2000.0))
    ]
    columns = ["arm", "env_steps", "mean", "low", "high", "seeds"]
    return pd.DataFrame(rows, columns=columns)


def profile(arm: str, *shares: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "arm": arm,
            "threshold": np.arange(len(shares), dtype=float),
            "share": shares,
            "low": np.clip(np.array(shares) - 0.1, 0, 1),
            "high": np.clip(np.array(shares) + 0.1, 0, 1),
        }
    )


def second_rows(*rows: tuple[Any, ...]) -> pd.DataFrame:
    columns = ["arm", "seed", "member", "iteration", "part", "seconds"]
    return pd.DataFrame([*rows], columns=columns)


def points(ax: Axes) -> list[list[list[float]]]:
    return [np.array(line.get_xydata()).tolist() for line in ax.lines]


def said(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


# Learning curves.


def test_a_learning_curve_is_the_mean_with_its_interval(ax: Axes) -> None:
    assert pictures.learning_curves(bands("a", "b"), ax) is ax
    assert points(ax) == [[[1000, 0], [2000, 1]], [[1000, 10], [2000, 11]]]
    areas = [each for each in ax.collections if isinstance(each, FillBetweenPolyCollection)]
    assert [area.get_datalim(ax.transData).intervaly.tolist() for area in areas] == [
        [-1, 2],
        [9, 12],
    ]
    assert ax.get_xlim()[0] == 0
    assert ax.get_xlabel() == "env steps"
    assert said(ax) == ["a (3 seeds)", "b (3 seeds)"]


def test_each_seed_may_have_a_line_of_its_own(ax: Axes) -> None:
    curves = pd.DataFrame(
        {
            "arm": ["a", "a", "b"],
            "seed": [0, 1, 0],
            "env_steps": [1000.0, 1100.0, 1200.0],
            "score": [1.0, 2.0, 3.0],
        }
    )
    pictures.learning_curves(bands("a", seeds=1), ax, curves=curves)
    assert points(ax) == [[[1000, 1]], [[1100, 2]], [[1000, 0], [2000, 1]], [[1200, 3]]]
    assert [line.get_color() for line in ax.lines] == [*COLOURS[:1] * 3, COLOURS[1]]
    # Seeds of b were never scored at the same number of env steps.
    assert said(ax) == ["a (1 seed)", "b (1 seed)"]
    assert [line.get_marker() for line in ax.lines] == ["o", "o", "None", "o"]


def test_an_arm_has_the_same_colour_whatever_the_order(ax: Axes) -> None:
    other = Figure().subplots()
    pictures.learning_curves(bands("b", "a"), ax)
    pictures.performance_profiles(pd.concat([profile("a", 1, 0), profile("b", 1, 0)]), other)
    assert [line.get_color() for line in ax.lines] == [COLOURS[1], COLOURS[0]]
    assert [line.get_color() for line in other.lines] == [COLOURS[0], COLOURS[1]]


def test_a_part_of_the_arms_keeps_its_colours(ax: Axes) -> None:
    pictures.learning_curves(bands("b"), ax, arms=["a", "b"])
    assert [line.get_color() for line in ax.lines] == [COLOURS[1]]


def test_more_arms_than_colours_differ_in_their_dashes() -> None:
    styles = looks(f"arm {number:02}" for number in range(28))
    assert len({(style["color"], style["linestyle"]) for style in styles.values()}) == 28


def test_the_legend_of_many_arms_is_beside_them(ax: Axes) -> None:
    pictures.learning_curves(bands(*"abcdefg"), ax)
    legend = ax.get_legend()
    assert legend is not None
    figure = ax.figure
    figure.draw_without_rendering()  # type: ignore[union-attr]
    assert legend.get_window_extent().x0 >= ax.get_window_extent().x1


def test_an_interval_that_is_not_known_is_not_drawn(ax: Axes) -> None:
    unknown = bands("a", seeds=1).assign(low=math.nan, high=math.nan)
    pictures.learning_curves(unknown, ax)
    assert points(ax) == [[[1000, 0], [2000, 1]]]
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]


# Performance profiles.


def test_a_profile_is_a_staircase_that_begins_at_one(ax: Axes) -> None:
    assert pictures.performance_profiles(profile("a", 0.75, 0.5, 0.0), ax) is ax
    (line,) = ax.lines
    assert line.get_drawstyle() == "steps-post"
    assert points(ax) == [[[-0.06, 1], [0, 0.75], [1, 0.5], [2, 0], [2.06, 0]]]
    assert ax.get_ylim() == (-0.02, 1.02)
    assert said(ax) == ["a"]


def test_returns_that_are_all_the_same_have_a_profile(ax: Axes) -> None:
    pictures.performance_profiles(profile("a", 0.0), ax)
    assert points(ax) == [[[-0.5, 1], [0, 0], [0.5, 0]]]


@pytest.mark.parametrize("draw", [pictures.learning_curves, pictures.performance_profiles])
def test_without_arms_there_is_a_remark(draw: Any, ax: Axes) -> None:
    empty = bands() if draw is pictures.learning_curves else profile("a")
    draw(empty, ax)
    assert [text.get_text() for text in ax.texts] == ["no arm was scored yet"]


@pytest.mark.parametrize("arm", ["$x$", "_hidden", "a\\b_{c}", "ümläut"])
def test_names_of_arms_are_taken_as_they_are(arm: str, ax: Axes) -> None:
    pictures.performance_profiles(profile(arm, 0.5), ax)
    legend = ax.get_legend()
    assert legend is not None
    assert said(ax) == [arm]
    assert not any(text.get_parse_math() for text in legend.get_texts())
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]


# Where the time went.

TIMED = second_rows(
    ("a", 0, 0, 1, "train", 2.0),
    ("a", 0, 1, 1, "train", 4.0),
    ("a", 0, 0, 2, "train", 2.0),
    ("a", 0, 0, 2, "score", 1.0),
    ("a", 0, 1, 2, "train", 4.0),
    ("a", 0, 1, 2, "score", 3.0),
    ("b", 0, 0, 1, "train", 1.0),
)


def test_parts_are_means_over_members_the_largest_first() -> None:
    iterations = parts_by(TIMED[TIMED["arm"] == "a"], "iteration")
    assert iterations.columns.tolist() == ["train", "score"]
    assert iterations.to_numpy().tolist() == [[3, 0], [3, 2]]
    assert parts_by(TIMED, "arm").to_numpy().tolist() == [[6, 2], [1, 0]]
    assert parts_by(TIMED, "member").loc[1].to_dict() == {"train": 8, "score": 3}


def test_parts_of_iterations_are_stacked(ax: Axes) -> None:
    assert pictures.time_spent(TIMED[TIMED["arm"] == "a"], ax) is ax
    layers = [each.get_data() for each in ax.patches if isinstance(each, StepPatch)]
    assert [layer.values.tolist() for layer in layers] == [[3, 3], [3, 5]]
    assert [np.asarray(layer.baseline).tolist() for layer in layers] == [[0, 0], [3, 3]]
    assert layers[0].edges.tolist() == [0, 1, 2]
    assert ax.get_ylabel().startswith("seconds per iteration")
    assert said(ax) == ["train", "score"]


def test_arms_are_bars(ax: Axes) -> None:
    pictures.time_spent(TIMED, ax, by="arm")
    bars = [each for each in ax.patches if isinstance(each, Rectangle)]
    assert [(bar.get_x(), bar.get_width()) for bar in bars] == [(0, 6), (0, 1), (6, 2), (1, 0)]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a", "b"]
    assert ax.get_xlabel() == "seconds per member"


@pytest.mark.parametrize(
    ("seconds", "unit", "width"),
    [(90.0, "seconds", 90), (600.0, "minutes", 10), (9000.0, "hours", 2.5)],
)
def test_long_times_are_in_longer_units(seconds: float, unit: str, width: float, ax: Axes) -> None:
    pictures.time_spent(second_rows(("a", 0, 0, 1, "train", seconds)), ax, by="member")
    assert ax.get_xlabel() == f"{unit} per member"
    assert [bar.get_width() for bar in ax.patches if isinstance(bar, Rectangle)] == [width]


def test_many_parts_are_told_apart_but_the_smallest(ax: Axes) -> None:
    rows = [("a", 0, 0, 1, f"part {number}", 10.0 - number) for number in range(9)]
    pictures.time_spent(second_rows(*rows), ax, by="member")
    assert set(said(ax)) == {*(f"part {number}" for number in range(6)), "other"}
    *_, rest = (bar for bar in ax.patches if isinstance(bar, Rectangle))
    assert rest.get_width() == 4 + 3 + 2
    assert rest.get_facecolor()[0] == float(FAINT)


def test_untimed_runs_have_a_remark(ax: Axes) -> None:
    pictures.time_spent(second_rows(), ax)
    assert [text.get_text() for text in ax.texts] == ["no iteration was timed yet"]


def test_time_is_by_what_there_is(ax: Axes) -> None:
    with pytest.raises(ValueError, match="must be iteration, member, seed or arm, but got 'part'"):
        pictures.time_spent(TIMED, ax, by="part")
