"""Pictures of single levels: the heat map and the map over two knobs."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.figure import Figure

from analysis import pictures
from analysis.frames import Run, run_of
from analysis.pictures.generalisation import kernel_average, knob_axes
from analysis.pictures.levels import level_returns
from orchestrator.env_space import EnvSpace
from orchestrator.knobs import Cells, Choice, Continuous, Integer, Simplex

SPACE = EnvSpace(
    {
        "length": Continuous(0.1, 10.0, "log"),
        "gravity": Continuous(0.0, 20.0),
        "lanes": Integer(1, 5),
        "layout": Choice(("open", 1, True, [1, 2])),
        "mix": Simplex(("speed", "safety")),
        "walls": Cells(9, 0, 6),
    }
)
LEVELS: list[dict[str, Any]] = [
    {"length": 0.1, "gravity": 0.0, "layout": "open", "mix": 1.0, "walls": [], "lanes": 1},
    {"length": 1.0, "gravity": 10.0, "layout": True, "mix": 0.25, "walls": [2, 5], "lanes": 5},
    {"length": 10.0, "gravity": 20.0, "layout": [1, 2], "mix": 0.0, "walls": [8], "lanes": 3},
]


@pytest.fixture
def ax() -> Axes:
    return Figure().subplots()


def score_rows(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Rows of `analysis.Run.scores`: arm, seed, member, iteration, suite, level, return."""
    columns = ["arm", "seed", "member", "iteration", "suite", "level", "return"]
    return pd.DataFrame([*rows], columns=columns).assign(score=0.0)


def level_rows(arm: str) -> list[dict[str, Any]]:
    rows = []
    for level, values in enumerate(LEVELS):
        for knob, value in values.items():
            plain = {"speed": value, "safety": 1 - value} if knob == "mix" else value
            number = float(len(value)) if knob == "walls" else plain
            known = number if isinstance(number, int | float) else math.nan
            rows.append({"level": level, "knob": knob, "value": plain, "number": known})
    return [{"arm": arm, "suite": "test", **row} for row in rows]


@pytest.fixture
def tested(tmp_path: Path) -> Run:
    """Two seeds of one arm have played three levels."""
    played = [
        ("a", seed, 0, 8, "test", level, 10.0 * level + seed)
        for seed in (0, 1)
        for level in range(3)
    ]
    return replace(
        run_of(tmp_path, []),
        space={"a": SPACE},
        populations=(("a", 0), ("a", 1)),
        scores=score_rows(*played),
        levels=pd.DataFrame(level_rows("a")),
    )


def dots(ax: Axes) -> PathCollection:
    (found,) = (each for each in ax.collections if isinstance(each, PathCollection))
    return found


# The heat map.


def test_levels_are_rows_hardest_first_and_members_columns_best_first() -> None:
    frame = score_rows(
        ("a", 0, 0, 4, "select", 0, 1.0),
        ("a", 0, 0, 4, "select", 1, 2.0),
        ("a", 0, 1, 4, "select", 0, 7.0),
        ("a", 0, 1, 4, "select", 1, 0.0),
    )
    table = level_returns(frame, ["member"])
    assert table.index.tolist() == [1, 0]
    assert table.columns.tolist() == [1, 0]
    assert table.to_numpy().tolist() == [[0.0, 2.0], [7.0, 1.0]]


def test_what_each_member_played_last_counts() -> None:
    frame = score_rows(
        ("a", 0, 0, 4, "select", 0, 1.0),
        ("a", 0, 0, 8, "select", 0, 3.0),
        ("a", 0, 1, 4, "select", 0, 2.0),
    )
    assert level_returns(frame, ["member"]).loc[0].to_dict() == {0: 3.0, 1: 2.0}
    assert level_returns(frame, ["arm"]).loc[0].to_dict() == {"a": 2.5}
    assert level_returns(frame, ["iteration"]).loc[0].to_dict() == {4: 1.5, 8: 3.0}


def test_a_comparison_has_scores_without_members_too() -> None:
    frame = pd.DataFrame({"arm": ["a", "a"], "seed": [0, 1], "level": [0, 0], "return": [1.0, 3.0]})
    assert level_returns(frame, ["arm"]).to_numpy().tolist() == [[2.0]]
    assert level_returns(frame, ["arm", "seed"]).columns.tolist() == [("a", 1), ("a", 0)]


def test_a_heat_map_has_a_cell_for_each_return(ax: Axes) -> None:
    frame = score_rows(
        ("a_$x$", 0, 0, 4, "test", 0, 1.0),
        ("a_$x$", 0, 0, 4, "test", 1, math.nan),
        ("b", 0, 0, 4, "test", 0, 5.0),
        ("b", 0, 0, 4, "test", 1, 3.0),
    )
    assert pictures.level_heat_map(frame, ax, by="arm") is ax
    (mesh,) = (each for each in ax.collections if isinstance(each, QuadMesh))
    drawn = np.ma.filled(np.ma.asarray(mesh.get_array()).astype(float), np.nan)
    np.testing.assert_array_equal(drawn, [[5.0, 1.0], [3.0, np.nan]][::1])
    assert mesh.get_clim() == (1.0, 5.0)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["b", "a_$x$"]
    assert not any(text.get_parse_math() for text in ax.get_xticklabels())
    assert [text.get_text() for text in ax.get_yticklabels()] == ["0", "1"]
    assert ax.get_ylim() == (2.0, 0.0)
    assert ax.get_xlabel() == "arm"


def test_a_member_that_returned_nothing_finite_keeps_its_column(ax: Axes) -> None:
    frame = score_rows(("a", 0, 0, 4, "test", 0, math.nan), ("a", 0, 1, 4, "test", 0, 2.0))
    pictures.level_heat_map(frame, ax)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "0"]


def test_many_levels_and_members_are_counted_not_named(ax: Axes) -> None:
    rows = [
        ("a", 0, each, 4, "test", level, 1.0 * level) for each in range(200) for level in range(50)
    ]
    pictures.level_heat_map(score_rows(*rows), ax)
    assert ax.get_ylabel() == "50 levels, hardest first"
    assert ax.get_xlabel() == "member: 200, best first"
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0


def test_one_suite_at_a_time_has_a_heat_map(ax: Axes) -> None:
    frame = score_rows(("a", 0, 0, 4, "test", 0, 1.0), ("a", 0, 0, 4, "select", 0, 1.0))
    with pytest.raises(ValueError, match=r"of one suite, .* but got select, test"):
        pictures.level_heat_map(frame, ax)


@pytest.mark.parametrize("by", ["colour", [], ["arm", "colour"]])
def test_columns_must_be_of_the_scores(by: Any, ax: Axes) -> None:
    with pytest.raises(ValueError, match=r"`by` must be columns of the scores \(arm, seed, "):
        pictures.level_heat_map(score_rows(), ax, by)


# The map over two knobs.


def test_a_level_is_a_dot_at_its_values(tested: Run, ax: Axes) -> None:
    assert pictures.generalisation_map(tested, "length", "gravity", ax) is ax
    assert np.asarray(dots(ax).get_offsets()).tolist() == [[0.1, 0.0], [1.0, 10.0], [10.0, 20.0]]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("length", "gravity")
    assert [ax.get_xticks()[0], ax.get_xticks()[-1]] == pytest.approx([0.1, 10.0])


def test_a_dot_has_the_colour_of_the_mean_return_over_seeds(tested: Run, ax: Axes) -> None:
    pictures.generalisation_map(tested, "length", "gravity", ax)
    assert np.asarray(dots(ax).get_array()).tolist() == [0.5, 10.5, 20.5]
    assert dots(ax).get_clim() == (0.5, 20.5)


def test_maps_may_share_their_colours(tested: Run, ax: Axes) -> None:
    pictures.generalisation_map(tested, "length", "gravity", ax, limits=(0.0, 100.0))
    assert dots(ax).get_clim() == (0.0, 100.0)


def test_cells_are_as_many_as_are_set_and_terms_their_weight(tested: Run, ax: Axes) -> None:
    pictures.generalisation_map(tested, "walls", "mix.speed", ax)
    assert np.asarray(dots(ax).get_offsets()).tolist() == [[0, 1.0], [2, 0.25], [1, 0.0]]


def test_choices_are_rows_whose_values_are_told_apart(tested: Run, ax: Axes) -> None:
    pictures.generalisation_map(tested, "lanes", "layout", ax)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["open", "1", "true", "[1,2]"]
    places = np.asarray(dots(ax).get_offsets())
    assert places[:, 0].tolist() == [1, 5, 3]
    assert np.round(places[:, 1]).tolist() == [0, 2, 3]
    assert np.abs(places[:, 1] - np.round(places[:, 1])).max() <= 0.35


def test_a_return_that_is_not_finite_is_grey(tested: Run, ax: Axes) -> None:
    lost = tested.scores.assign(**{"return": [math.nan, 1.0, 2.0] * 2})
    pictures.generalisation_map(replace(tested, scores=lost), "length", "gravity", ax)
    ax.figure.draw_without_rendering()  # type: ignore[union-attr]
    grey, *rest = dots(ax).get_facecolor()
    assert grey.tolist() == pytest.approx([0.85, 0.85, 0.85, 1.0])
    np.testing.assert_allclose(rest[0], colormaps["viridis"](0.0))


def test_a_surface_needs_numbers_and_a_dozen_levels(tested: Run, ax: Axes) -> None:
    def surfaces(run: Run, x: str, y: str) -> int:
        ax.clear()
        pictures.generalisation_map(run, x, y, ax)
        return sum(isinstance(each, QuadMesh) for each in ax.collections)

    many = [
        row | {"level": row["level"] + 3 * part} for part in range(4) for row in level_rows("a")
    ]
    played = [("a", 0, 0, 8, "test", level, float(level)) for level in range(12)]
    enough = replace(tested, scores=score_rows(*played), levels=pd.DataFrame(many))
    assert surfaces(tested, "length", "gravity") == 0
    assert surfaces(enough, "length", "gravity") == 1
    assert surfaces(enough, "walls", "mix.speed") == 1
    assert surfaces(enough, "length", "layout") == 0


def test_a_surface_is_an_average_weighted_by_nearness() -> None:
    at = np.array([0.0, 1.0])
    mean, weight = kernel_average(at, at, np.array([0.0, 1.0]), 3)
    assert mean[1, 1] == pytest.approx(0.5)
    assert mean[0, 2] == pytest.approx(0.5)
    assert mean[0, 0] < 0.1 < 0.9 < mean[2, 2]
    assert weight[0, 0] > weight[0, 2]
    width = math.sqrt(1 / 12) * 2 ** (-1 / 6)
    assert weight[1, 1] == pytest.approx(2 * math.exp(-0.25 / width**2))


def test_levels_that_are_not_told_are_left_out(tested: Run, ax: Axes) -> None:
    known = tested.levels[tested.levels["level"] != 1]
    pictures.generalisation_map(replace(tested, levels=known), "length", "gravity", ax)
    assert np.asarray(dots(ax).get_offsets())[:, 0].tolist() == [0.1, 10.0]


def test_before_the_suite_was_played_there_is_a_remark(tested: Run, ax: Axes) -> None:
    pictures.generalisation_map(tested, "length", "gravity", ax, suite="select")
    assert [text.get_text() for text in ax.texts] == ["the select suite was not played yet"]


def test_what_has_an_axis_is_every_knob_and_every_term() -> None:
    assert knob_axes(SPACE) == [
        "gravity", "lanes", "layout", "length", "mix.speed", "mix.safety", "walls",
    ]  # fmt: skip


def test_a_dot_in_a_name_is_no_term(tested: Run, ax: Axes) -> None:
    space = EnvSpace({"a.b": Simplex(("c", "d")), "a.b.c2": Continuous(0.0, 1.0)})
    rows = [
        {"arm": "a", "suite": "test", "level": 0, "knob": "a.b", "value": {"c": 0.3, "d": 0.7}},
        {"arm": "a", "suite": "test", "level": 0, "knob": "a.b.c2", "value": 0.5, "number": 0.5},
    ]
    run = replace(tested, space={"a": space}, levels=pd.DataFrame(rows))
    pictures.generalisation_map(run, "a.b.c", "a.b.c2", ax)
    assert np.asarray(dots(ax).get_offsets()).tolist() == [[0.3, 0.5]]


@pytest.mark.parametrize(
    ("x", "y", "arm", "said"),
    [
        ("lenght", "gravity", None, "must each be one of gravity, .* but got 'lenght'.*'length'"),
        ("length", "mix", None, "one of .*mix.speed, mix.safety, .* but got 'mix'"),
        ("length", "gravity", "b", r"`arm` must be one of a, but got 'b' \(known: a\)"),
    ],
)
def test_knobs_and_arms_that_are_none_are_errors(
    x: str, y: str, arm: str | None, said: str, tested: Run, ax: Axes
) -> None:
    with pytest.raises(ValueError, match=said):
        pictures.generalisation_map(tested, x, y, ax, arm=arm)


def test_of_several_arms_one_must_be_named(tested: Run, ax: Axes) -> None:
    run = replace(tested, space={"a": SPACE, "b": SPACE})
    with pytest.raises(ValueError, match="`arm` must be one of a, b, but got None"):
        pictures.generalisation_map(run, "length", "gravity", ax)
    assert pictures.generalisation_map(run, "length", "gravity", ax, arm="a") is ax
