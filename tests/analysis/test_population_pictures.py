"""Pictures of one population: scores, ribbons, lineage, coverage, hyperparameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from distribution_catalogue import FIXED, GRID, MAZE
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection, QuadMesh
from matplotlib.colors import to_rgba, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from synthetic_run import SyntheticRun

import analysis
from analysis import pictures
from analysis.coverage import interval, perplexity, union
from analysis.frames import Run, run_of
from analysis.pictures.population import first_populations, population_of
from analysis.pictures.schedules import searched
from analysis.pictures.style import FAINT, HALO, INK, UNKNOWN, look
from orchestrator.knobs import Continuous, Integer

Begin = Callable[..., SyntheticRun]
SEARCH = {"algorithm": {"search": {"lr": {"low": 1e-4, "high": 3e-3, "scale": "log"}}}}


@pytest.fixture
def ax() -> Axes:
    return Figure().subplots()


@pytest.fixture
def crowd(tmp_path: Path, begin: Begin) -> Run:
    """Fourteen members; at iterations 4 and 8 the worst quarter copies the best."""
    run = begin(tmp_path / "crowd", size=14)
    for iteration in (4, 8):
        run.boundary(iteration, {member: 10.0 * member + iteration for member in range(14)})
    return analysis.load(run.folder)


def arrows(ax: Axes) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """(where it comes from, where it leads to) of each arrow."""
    return [(text.xyann, text.xy) for text in ax.texts if isinstance(text, Annotation)]


def lines(ax: Axes, colour: str) -> list[np.ndarray]:
    """Points of each line of that colour, other than single markers and halos."""
    found = [each for each in ax.lines if each.get_color() == colour and each.get_alpha() is None]
    return [np.array(each.get_xydata()) for each in found if len(each.get_xdata()) > 1]  # type: ignore[arg-type]


def halo(ax: Axes) -> list[list[float]]:
    (found,) = (each for each in ax.lines if each.get_alpha() == HALO["alpha"])
    return np.array(found.get_xydata()).tolist()


# Scores.


def test_scores_break_where_a_member_became_a_copy(played: SyntheticRun, ax: Axes) -> None:
    assert pictures.scores(analysis.load(played.folder), ax) is ax
    (best,) = lines(ax, look(3)["color"])
    assert best.tolist() == [[4, 40], [8, 50], [12, 55]]
    (worst,) = lines(ax, look(0)["color"])
    np.testing.assert_array_equal(worst, [[4, 10], [math.nan] * 2, [4, 40], [8, 45], [12, 60]])
    assert set(arrows(ax)) == {
        ((4, 10.0), (4, 40.0)),
        ((8, 25.0), (8, 50.0)),
        ((12, 15.0), (12, 70.0)),
    }
    assert "score" in ax.get_ylabel()
    assert ax.get_xlabel() == "training iteration"


def test_the_ancestry_of_the_best_has_a_halo(played: SyntheticRun, ax: Axes) -> None:
    pictures.scores(analysis.load(played.folder), ax)
    # m1 has the best score, 70; it is a copy that m3, with 50 at iteration 8, became.
    assert halo(ax) == [[4, 40], [8, 50], [12, 70]]


def test_a_lone_member_has_no_halo(tmp_path: Path, begin: Begin, ax: Axes) -> None:
    run = begin(tmp_path / "run", size=1)
    run.boundary(4, {0: 1.0})
    pictures.scores(analysis.load(run.folder), ax)
    assert halo(ax) == []


def test_a_score_that_is_not_finite_is_a_gap(played: SyntheticRun, ax: Axes) -> None:
    for member in range(4):
        played.score(member, None, 16)
    pictures.scores(analysis.load(played.folder), ax)
    ends = [lines(ax, look(member)["color"])[0][-1] for member in range(4)]
    assert [end[0] for end in ends] == [16] * 4
    assert all(math.isnan(end[1]) for end in ends)


def test_of_a_crowd_the_ancestry_of_the_best_stands_out(crowd: Run, ax: Axes) -> None:
    pictures.scores(crowd, ax)
    (members,) = ax.collections
    assert isinstance(members, LineCollection)
    assert len(members.get_segments()) == 14
    assert members.get_colors()[0].tolist() == list(to_rgba(FAINT))  # type: ignore[index]
    (best,) = lines(ax, INK)
    assert best.tolist() == [[4, 134], [8, 138]]
    assert arrows(ax) == []


# Ribbons.


def test_a_ribbon_is_within_its_legal_range_on_its_scale(played: SyntheticRun, ax: Axes) -> None:
    run = analysis.load(played.folder)
    assert pictures.ribbon(run, "masspole", ax) is ax
    low, high = ax.get_ylim()
    assert ax.get_yscale() == "log"
    assert low < 0.05
    assert high > 0.5
    assert [ax.get_yticks()[0], ax.get_yticks()[-1]] == [0.05, 0.5]
    assert ax.get_ylabel() == "masspole"
    changes = run.distributions[run.distributions["knob"] == "masspole"]
    for member in range(4):
        own = changes[changes["member"] == member].drop_duplicates("iteration", keep="last")
        for edge, drawn in zip(("low", "high"), lines(ax, look(member)["color"]), strict=True):
            levels = drawn[~np.isnan(drawn[:, 1]), 1]
            assert levels[::2].tolist() == levels[1::2].tolist() == own[edge].tolist()


def test_a_ribbon_lasts_as_long_as_its_member(tmp_path: Path, begin: Begin, ax: Axes) -> None:
    run = begin(tmp_path / "run", size=2)
    for iteration in (1, 2, 3):
        run.train(iteration)
    run.boundary(4, {0: 1.0, 1: 2.0})
    pictures.ribbon(analysis.load(run.folder), "gravity", ax)
    ends = [np.nanmax(line[:, 0]) for member in (0, 1) for line in lines(ax, look(member)["color"])]
    assert ends == [4] * 4


def test_a_ribbon_has_risers_but_where_a_member_became_a_copy(
    tmp_path: Path, begin: Begin, ax: Axes
) -> None:
    run = begin(tmp_path / "run", size=2)
    run.boundary(4, {0: 1.0, 1: 2.0})
    run.train(5)
    run.mutate(0)
    run.train(6)
    pictures.ribbon(analysis.load(run.folder), "gravity", ax)
    low, _ = lines(ax, look(0)["color"])
    assert low[:, 0].tolist()[:2] == [0, 4]
    assert math.isnan(low[2, 0])
    assert low[3:, 0].tolist() == [4, 5, 5, 6]


def test_exploits_are_visible_in_a_ribbon(played: SyntheticRun, ax: Axes) -> None:
    run = analysis.load(played.folder)
    pictures.ribbon(run, "length", ax)
    marked = {
        (line.get_color(), line.get_xdata()[0])  # type: ignore[index]
        for line in ax.lines
        if len(line.get_xdata()) == 1  # type: ignore[arg-type]
    }
    assert marked == {
        (look(member)["color"], iteration)
        for member, iteration in run.lineage[["member", "iteration"]].to_numpy()
    }
    # Every exploit of this run moved the range; an arrow leads to the middle of the new one.
    moved = run.distributions.query("knob == 'length' and revision > 0").sort_values("iteration")
    middle = np.sqrt(moved["low"] * moved["high"])
    ends = np.array(sorted(end for _, end in arrows(ax)))
    np.testing.assert_allclose(ends, np.column_stack([moved["iteration"], middle]))
    assert len(arrows(ax)) == len(run.lineage)


@pytest.mark.parametrize("knob", ["layout", "reward"])
def test_choices_and_terms_are_stripes_as_strong_as_their_weight(
    knob: str, tmp_path: Path, begin: Begin, ax: Axes
) -> None:
    run = begin(tmp_path / "run", space=MAZE)
    run.boundary(4, {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0})
    found = analysis.load(run.folder)
    pictures.ribbon(found, knob, ax)
    weights = found.distributions.query("knob == @knob and member == 3")["weights"].iloc[-1]
    names = [each.get_text() for each in ax.get_yticklabels()]
    assert names in (
        ["open", "rooms", "[1,[2.5,null]]", "true", "1"],
        ["speed", "energy", "safety"],
    )
    colour = look(3)["color"]
    shades = [
        tuple(shade)
        for stripe in ax.collections
        for shade in to_rgba_array(stripe.get_facecolor())
        if tuple(shade[:3]) == to_rgba(colour)[:3]
    ]
    assert [shade[3] for shade in shades] == pytest.approx([0.9 * w for w in weights.values()])


def test_of_a_crowd_the_share_that_draws_from_a_value_is_drawn(
    crowd: Run, ax: Axes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.pictures.crowds._CELLS", 3)
    at_first = crowd.distributions["iteration"] == 0
    narrow = at_first & (crowd.distributions["member"] < 7)
    frame = crowd.distributions[at_first & (crowd.distributions["knob"] == "gravity")].copy()
    frame.loc[narrow, "high"] = 9.0
    pictures.ribbon(replace(crowd, distributions=frame), "gravity", ax)
    (mesh,) = (each for each in ax.collections if isinstance(each, QuadMesh))
    # Of the parts 5…10, 10…15 and 15…20 all members draw from the first, half from the others.
    assert np.asarray(mesh.get_array()).tolist() == [[1.0], [0.5], [0.5]]


def test_of_a_crowd_stripes_are_the_mean_weight(tmp_path: Path, begin: Begin, ax: Axes) -> None:
    run = begin(tmp_path / "run", space=MAZE, size=14)
    run.train(1)
    pictures.ribbon(analysis.load(run.folder), "reward", ax)
    shades = [stripe.get_facecolor()[0][3] for stripe in ax.collections]  # type: ignore[index]
    assert shades == pytest.approx([0.9, 0.0, 0.0])


def test_a_knob_that_is_none_is_an_error_that_names_the_nearest(
    played: SyntheticRun, ax: Axes
) -> None:
    said = "one of gravity, length, masspole, but got 'lenght'.*did you mean 'length'"
    run = analysis.load(played.folder)
    for draw in (
        lambda: pictures.ribbon(run, "lenght", ax),
        lambda: pictures.coverage(run, ax, "lenght"),
        lambda: pictures.coverage_by_arm(run, ax, "lenght"),
    ):
        with pytest.raises(ValueError, match=said):
            draw()


# The lineage.


def test_lanes_have_the_colours_of_the_scores_that_they_led_to(
    played: SyntheticRun, ax: Axes
) -> None:
    played.train(13)
    assert pictures.lineage_tree(analysis.load(played.folder), ax) is ax
    lanes = [each for each in ax.collections if isinstance(each, PolyCollection)]
    spans = [path.get_extents().intervalx.tolist() for path in lanes[0].get_paths()]
    assert spans == [[0, 4], [4, 8], [8, 12], [12, 13]]
    viridis = colormaps["viridis"]
    # Scores of the run are from 10 to 70; m0 has 10, 45 and 60, and is not scored at its end.
    expected = [viridis((score - 10) / 60) for score in (10, 45, 60)] + [to_rgba(UNKNOWN)]
    np.testing.assert_allclose(lanes[0].get_facecolor(), expected)
    assert [each.get_text() for each in ax.get_yticklabels()] == ["m0", "m1", "m2", "m3"]


def test_the_best_members_ancestry_is_one_line_from_lane_to_lane(
    played: SyntheticRun, ax: Axes
) -> None:
    pictures.lineage_tree(analysis.load(played.folder), ax)
    (line,) = lines(ax, INK)
    assert line.tolist() == [[0, 3], [8, 3], [8, 1], [12, 1]]
    (dot,) = (each for each in ax.lines if each.get_marker() == "o")
    assert np.array(dot.get_xydata()).tolist() == [[12, 1]]


def test_other_exploits_are_branches_from_donor_to_copy(played: SyntheticRun, ax: Axes) -> None:
    pictures.lineage_tree(analysis.load(played.folder), ax)
    # m0 copied m3 at 4 and m2 copied m1 at 12; the line shows that m1 copied m3 at 8.
    drawn = [[(x, round(y)) for x, y in arrow] for arrow in sorted(arrows(ax))]
    assert drawn == [[(4, 3), (4, 0)], [(12, 1), (12, 2)]]


def test_a_lineage_may_have_the_colours_of_another(played: SyntheticRun, ax: Axes) -> None:
    pictures.lineage_tree(analysis.load(played.folder), ax, limits=(0.0, 100.0))
    first = ax.collections[0].get_facecolor()[0]  # type: ignore[index]
    np.testing.assert_allclose(first, colormaps["viridis"](0.1))


def test_of_a_crowd_only_the_best_ones_branches_are_drawn(crowd: Run, ax: Axes) -> None:
    assert len(crowd.lineage) > 0
    pictures.lineage_tree(crowd, ax)
    assert arrows(ax) == []
    assert [line.tolist() for line in lines(ax, INK)] == [[[0, 13], [8, 13]]]


# Coverage.


def test_coverage_is_the_share_of_the_legal_range(played: SyntheticRun, ax: Axes) -> None:
    run = analysis.load(played.folder)
    frame = run.distributions.query("knob == 'gravity' and iteration == 0").copy()
    frame["low"] = [5.0, 8.0, 5.0, 5.0]
    frame["high"] = [8.0, 14.0, 6.5, 5.0]
    assert pictures.coverage(replace(run, distributions=frame), ax, "gravity") is ax
    shares = [lines(ax, look(member)["color"])[0][0, 1] for member in range(4)]
    assert shares == pytest.approx([0.2, 0.4, 0.1, 0.0])
    # From 5 to 14 of 5 to 20.
    assert lines(ax, INK)[0][:, 1].tolist() == pytest.approx([0.6, 0.6])
    assert "gravity" in ax.get_ylabel()


def test_coverage_of_the_space_is_the_mean_over_knobs(played: SyntheticRun, ax: Axes) -> None:
    pictures.coverage(analysis.load(played.folder), ax)
    # At first gravity and length are drawn from all of their ranges, masspole is a point.
    assert lines(ax, look(3)["color"])[0][0, 1] == pytest.approx(2 / 3)


def test_coverage_by_arm_is_of_all_members_together(tmp_path: Path, begin: Begin, ax: Axes) -> None:
    run = begin(tmp_path / "run", arms=("b", "a_$"), seeds=(0, 1), size=2)
    run.train(1)
    pictures.coverage_by_arm(analysis.load(run.folder), ax)
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["b", "a_$"]
    means = [each for each in ax.lines if each.get_alpha() is None]
    assert [np.array(each.get_xydata()).tolist() for each in means] == [
        [[0, pytest.approx(2 / 3)], [1, pytest.approx(2 / 3)]]
    ] * 2
    assert len(ax.lines) == 6


def test_a_mean_over_seeds_ends_with_the_first_of_them(
    tmp_path: Path, begin: Begin, ax: Axes
) -> None:
    run = begin(tmp_path / "run", seeds=(0, 1), size=2)
    run.train(1)
    run.score(0, 1.0, 3)
    pictures.coverage_by_arm(analysis.load(run.folder), ax)
    ends = [np.asarray(line.get_xdata()).max() for line in ax.lines]
    assert ends == [3, 1, 1]


@pytest.mark.parametrize(
    ("knob", "low", "high", "share"),
    [
        (Continuous(0.0, 4.0), 1.0, 3.0, 0.5),
        (Continuous(1.0, 100.0, "log"), 10.0, 100.0, 0.5),
        (Continuous(2.0, 2.0), 2.0, 2.0, 1.0),
        (Integer(1, 10), 3, 3, 0.1),
        (Integer(1, 10), 1, 10, 1.0),
        (Integer(1, 7, "log"), 1, 1, 1 / 3),
    ],
)
def test_shares_of_numbers_are_widths_on_their_scale(
    knob: Continuous | Integer, low: float, high: float, share: float
) -> None:
    begin, end = interval(knob, pd.DataFrame({"low": [low], "high": [high]}))
    assert end - begin == pytest.approx([share])


def test_a_share_of_a_choice_is_that_of_as_many_values_of_equal_weight() -> None:
    weights = [[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4]
    assert perplexity(np.array(weights, dtype=float)) == pytest.approx([0.25, 0.5, 1.0])


def test_a_union_counts_what_overlaps_once() -> None:
    low = np.array([[0.0, 0.0, math.nan], [0.1, 0.5, math.nan], [0.2, 0.9, 0.3]])
    high = np.array([[0.3, 0.2, math.nan], [0.4, 0.6, math.nan], [0.25, 1.0, 0.5]])
    assert union(low, high) == pytest.approx([0.4, 0.4, 0.2])


# Hyperparameters.


def test_hyperparameters_are_on_the_scale_of_their_search(played: SyntheticRun, ax: Axes) -> None:
    run = replace(analysis.load(played.folder), arms={"main": SEARCH})
    assert pictures.hyperparameters(run, "lr", ax) is ax
    assert ax.get_yscale() == "log"
    assert [ax.get_yticks()[0], ax.get_yticks()[-1]] == pytest.approx([1e-4, 3e-3])
    assert ax.get_ylabel() == "lr"
    own = run.hyperparameters[run.hyperparameters["member"] == 0]
    drawn, _ = lines(ax, look(0)["color"])
    assert drawn[0, 1] == drawn[1, 1] == own["number"].iloc[0]
    assert drawn[3, 1] == own["number"].iloc[1]


def test_the_schedule_along_the_ancestry_has_a_halo(played: SyntheticRun, ax: Axes) -> None:
    run = replace(analysis.load(played.folder), arms={"main": SEARCH})
    pictures.hyperparameters(run, "lr", ax)
    halos = [each for each in ax.collections if each.get_alpha() == HALO["alpha"]]
    spans = [segment[:, 0].tolist() for each in halos for segment in each.get_segments()]  # type: ignore[attr-defined]
    assert spans == [[0, 8], [8, 12]]


def test_searched_choices_are_rows(played: SyntheticRun, ax: Axes) -> None:
    run = analysis.load(played.folder)
    taken = run.hyperparameters.assign(value=["relu"] * len(run.hyperparameters))
    search = {"algorithm": {"search": {"lr": {"choices": ["tanh", "relu"]}}}}
    pictures.hyperparameters(replace(run, hyperparameters=taken, arms={"main": search}), "lr", ax)
    assert [each.get_text() for each in ax.get_yticklabels()] == ["tanh", "relu"]
    shades = {stripe.get_facecolor()[0][3] for stripe in ax.collections}  # type: ignore[index]
    assert shades == {0.0, 0.9}


def test_what_is_searched_has_the_names_of_the_frames() -> None:
    numbers = {"low": 0.1, "high": 1.0, "scale": "linear"}
    arm = {
        "algorithm": {"search": {"lr": numbers}, "policy_search": {"generator": {"lr": numbers}}},
        "curriculum": {"kind": "accel", "search": {"temperature": numbers}},
    }
    assert searched(arm) == dict.fromkeys(
        ["lr", "policy.generator.lr", "curriculum.temperature"], Continuous(0.1, 1.0)
    )


def test_a_hyperparameter_that_is_none_is_an_error_that_names_the_nearest(
    played: SyntheticRun, ax: Axes
) -> None:
    with pytest.raises(ValueError, match=r"must be one of lr, .* but got 'lrr'.*mean 'lr'"):
        pictures.hyperparameters(analysis.load(played.folder), "lrr", ax)


def test_of_a_crowd_hyperparameters_are_faint_lines(crowd: Run, ax: Axes) -> None:
    pictures.hyperparameters(replace(crowd, arms={"main": SEARCH}), "lr", ax)
    faint, *ancestral = (each for each in ax.collections if isinstance(each, LineCollection))
    assert len(faint.get_segments()) == 14
    assert [each.get_segments()[0][:, 0].tolist() for each in ancestral] == [[0, 8]]


# One population.


def test_a_population_must_be_chosen_where_there_are_several(
    tmp_path: Path, begin: Begin, ax: Axes
) -> None:
    begin(tmp_path / "run", arms=("a", "b"), size=2)
    run = analysis.load(tmp_path / "run")
    draws: list[Callable[[], Any]] = [
        lambda: pictures.scores(run, ax),
        lambda: pictures.ribbon(run, "length", ax),
        lambda: pictures.lineage_tree(run, ax),
        lambda: pictures.coverage(run, ax),
        lambda: pictures.hyperparameters(run, "lr", ax),
    ]
    for draw in draws:
        with pytest.raises(ValueError, match=r"run\.of\(arm, seed\)` gives it, but got .*'b', 0"):
            draw()
    assert pictures.ribbon(run.of("b"), "length", ax) is ax


def test_a_run_without_members_has_a_remark(tmp_path: Path, ax: Axes) -> None:
    run = run_of(tmp_path, [])
    draws = [
        pictures.scores,
        pictures.lineage_tree,
        pictures.coverage,
        lambda run, ax: pictures.ribbon(run, "length", ax),
        lambda run, ax: pictures.hyperparameters(run, "lr", ax),
    ]
    for draw in draws:
        ax.clear()
        assert draw(run, ax) is ax
        assert [text.get_text() for text in ax.texts] == ["no member was started yet"]


def test_what_holds_is_told_for_every_member_and_time(played: SyntheticRun) -> None:
    population = population_of(analysis.load(played.folder))
    assert population is not None
    changes = pd.DataFrame({"member": [0, 0, 1], "iteration": [0, 4, 8], "low": [1.0, 2.0, 3.0]})
    held = population.held(changes)
    assert held.edges.tolist() == [0, 4, 8, 12]
    assert held.row.tolist() == [[0, 1, 1], [-1, -1, 2], [-1] * 3, [-1] * 3]
    np.testing.assert_array_equal(
        held.values(changes["low"].to_numpy())[:2], [[1, 2, 2], [math.nan, math.nan, 3]]
    )


def test_nothing_holds_after_a_members_last_iteration(tmp_path: Path, begin: Begin) -> None:
    run = begin(tmp_path / "run", size=2)
    run.train(1)
    run.score(0, 1.0, 3)
    population = population_of(analysis.load(run.folder))
    assert population is not None
    changes = pd.DataFrame({"member": [0, 1], "iteration": [0, 0], "low": [1.0, 2.0]})
    held = population.held(changes)
    assert held.edges.tolist() == [0, 1, 3]
    assert held.row.tolist() == [[0, 0], [1, -1]]


@pytest.mark.parametrize(
    ("most", "shown"),
    [
        (8, ["a0", "a1", "a2", "b0"]),
        (4, ["a0", "a1", "b0"]),
        (3, ["a0", "b0"]),
        (1, ["a0"]),
    ],
)
def test_first_seeds_are_shown_before_second_ones(most: int, shown: list[str]) -> None:
    populations = [("a", 0), ("a", 1), ("a", 2), ("b", 0)]
    found = first_populations(populations, most)
    assert [f"{arm}{seed}" for arm, seed in found] == shown


@pytest.mark.parametrize("space", [FIXED, GRID, MAZE])
def test_coverage_of_any_kind_of_knob_is_a_share(
    space: Any, tmp_path: Path, begin: Begin, ax: Axes
) -> None:
    run = begin(tmp_path / "run", space=space)
    run.boundary(4, {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0})
    run.train(5)
    for knob in space.names:
        pictures.coverage(analysis.load(run.folder), ax, knob)
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in ax.lines])
    assert ((values >= 0) & (values <= 1 + 1e-12)).all()
