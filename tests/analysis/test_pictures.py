"""Pictures: what is drawn is what the frames say, and every word on them is there."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from distribution_catalogue import FIXED, MAZE
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba, to_rgba_array
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Annotation
from synthetic_run import SyntheticRun

import analysis
from analysis import marks, pictures
from analysis.__main__ import main
from analysis.frames import run_of
from orchestrator.env_space import EnvSpace
from orchestrator.knobs import Continuous, Integer

Begin = Callable[..., SyntheticRun]


@pytest.fixture
def ax() -> Axes:
    return Figure().subplots()


def arrows(ax: Axes) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """(where it comes from, where it leads to) of each arrow."""
    return [(text.xyann, text.xy) for text in ax.texts if isinstance(text, Annotation)]


def test_scores_break_where_a_member_became_a_copy(played: SyntheticRun, ax: Axes) -> None:
    assert pictures.scores(analysis.load(played.folder), ax) is ax
    lines = {line.get_color(): line for line in ax.lines}
    assert len(lines) == 4
    best = np.array(lines[marks.look(3)["color"]].get_xydata())
    assert best.tolist() == [[4, 40], [8, 50], [12, 55]]
    worst = np.array(lines[marks.look(0)["color"]].get_xydata())
    np.testing.assert_array_equal(worst, [[4, 10], [math.nan] * 2, [4, 40], [8, 45], [12, 60]])
    assert set(arrows(ax)) == {
        ((4, 10.0), (4, 40.0)),
        ((8, 25.0), (8, 50.0)),
        ((12, 15.0), (12, 70.0)),
    }
    assert "score" in ax.get_ylabel()
    assert ax.get_xlabel() == "training iteration"


def test_a_score_that_is_not_finite_is_a_gap(played: SyntheticRun, ax: Axes) -> None:
    for member in range(4):
        played.score(member, None, 16)
    pictures.scores(analysis.load(played.folder), ax)
    assert all(math.isnan(line.get_ydata()[-1]) for line in ax.lines)  # type: ignore[arg-type,index]


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
    edges = [each for each in ax.collections if isinstance(each, LineCollection)]
    drawn = sorted(segment[0, 1] for edge in edges for segment in edge.get_segments())
    held = changes.drop_duplicates(["member", "iteration"], keep="last")
    assert drawn == sorted([*held["low"], *held["high"]])


def test_a_ribbon_lasts_as_long_as_its_member(tmp_path: Path, begin: Begin, ax: Axes) -> None:
    run = begin(tmp_path / "run", size=2)
    for iteration in (1, 2, 3):
        run.train(iteration)
    run.boundary(4, {0: 1.0, 1: 2.0})
    pictures.ribbon(analysis.load(run.folder), "gravity", ax)
    edges = [each for each in ax.collections if isinstance(each, LineCollection)]
    assert {edge.get_segments()[-1][1, 0] for edge in edges} == {4}


def test_exploits_are_visible_in_a_ribbon(played: SyntheticRun, ax: Axes) -> None:
    run = analysis.load(played.folder)
    pictures.ribbon(run, "length", ax)
    marked = {(line.get_color(), line.get_xdata()[0]) for line in ax.lines}  # type: ignore[index]
    assert marked == {
        (marks.look(member)["color"], iteration)
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
    colour = marks.look(3)["color"]
    shades = [
        tuple(shade)
        for stripe in ax.collections
        for shade in to_rgba_array(stripe.get_facecolor())
        if tuple(shade[:3]) == to_rgba(colour)[:3]
    ]
    assert [shade[3] for shade in shades] == pytest.approx([0.9 * w for w in weights.values()])


def test_an_overview_has_a_panel_for_scores_and_one_for_each_knob(played: SyntheticRun) -> None:
    figure = pictures.overview(analysis.load(played.folder))
    top, *below = figure.axes
    assert "score" in top.get_ylabel()
    assert [ax.get_ylabel() for ax in below] == ["gravity", "length", "masspole"]
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "", "", "training iteration"]
    assert len({ax.get_xlim() for ax in figure.axes}) == 1
    (legend,) = figure.legends
    said = [text.get_text() for text in legend.get_texts()]
    assert said[:4] == ["m0", "m1", "m2", "m3"]
    assert any("exploit" in words for words in said)
    assert figure.get_suptitle().startswith("synthetic: 4 members · 3 exploits")


def test_populations_are_columns_on_common_axes(tmp_path: Path, begin: Begin) -> None:
    run = begin(tmp_path / "run", arms=("a", "b"), seeds=(0, 1), size=2)
    run.boundary(4, {0: 10.0, 1: 20.0})
    figure = pictures.overview(analysis.load(run.folder))
    top = figure.axes[:4]
    assert [ax.get_title() for ax in top] == [
        "a, seed 0", "a, seed 1", "b, seed 0", "b, seed 1"
    ]  # fmt: skip
    assert len({ax.get_ylim() for ax in top}) == 1
    assert {ax.get_xlim() for ax in figure.axes} == {(-0.04, 4.04)}


def test_a_population_must_be_named_where_there_are_several(
    tmp_path: Path, begin: Begin, ax: Axes
) -> None:
    begin(tmp_path / "run", arms=("a", "b"), size=2)
    run = analysis.load(tmp_path / "run")
    with pytest.raises(ValueError, match=r"None and 0 fit 2; the run has \('a', 0\), \('b', 0\)"):
        pictures.scores(run, ax, seed=0)
    with pytest.raises(ValueError, match="'c' and None fit 0"):
        pictures.ribbon(run, "length", ax, arm="c")
    assert pictures.ribbon(run, "length", ax, arm="b") is ax


def test_a_knob_that_is_none_is_an_error_that_names_the_nearest(
    played: SyntheticRun, ax: Axes
) -> None:
    said = "one of gravity, length, masspole, but got 'lenght'.*did you mean 'length'"
    with pytest.raises(ValueError, match=said):
        pictures.ribbon(analysis.load(played.folder), "lenght", ax)


@pytest.mark.parametrize("space", [FIXED, EnvSpace({}), EnvSpace({"a_$": Continuous(0.0, 1.0)})])
def test_unusual_spaces_have_pictures(space: EnvSpace, tmp_path: Path, begin: Begin) -> None:
    run = begin(tmp_path / "run", space=space)
    run.boundary(4, {0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0})
    figure = pictures.overview(analysis.load(run.folder))
    assert [ax.get_ylabel() for ax in figure.axes[1:]] == list(space.names)
    pictures.save(figure, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 0


def test_a_run_that_has_only_begun_has_a_picture(tmp_path: Path, begin: Begin) -> None:
    run = begin(tmp_path / "run")
    begun = pictures.overview(analysis.load(run.folder))
    assert [text.get_text() for text in begun.axes[0].texts] == ["no member was scored yet"]
    nothing = pictures.overview(run_of(tmp_path, []))
    assert [text.get_text() for text in nothing.axes[0].texts] == ["no member was started yet"]
    for name, figure in (("begun.png", begun), ("nothing.png", nothing)):
        pictures.save(figure, tmp_path / name)


def test_members_look_different_from_each_other() -> None:
    assert len({(look["color"], look["marker"]) for look in map(marks.look, range(49))}) == 49


def test_a_large_population_is_not_listed() -> None:
    assert len(marks.keys(range(30), most=14)) == 2


@pytest.mark.parametrize(
    ("knob", "ticks"),
    [
        (Continuous(0.25, 2.0, "log"), [0.25, 0.5, 1, 2]),
        (Continuous(5.0, 20.0), [5, 8, 12, 16, 20]),
        (Integer(1, 1000, "log"), [1, 10, 100, 1000]),
        (Continuous(9.8, 9.8), [9.8]),
    ],
)
def test_ticks_are_both_ends_and_round_numbers_between(
    knob: Continuous | Integer, ticks: list[float], ax: Axes
) -> None:
    marks.legal_range(ax, knob)
    assert list(ax.get_yticks()) == pytest.approx(ticks)


def test_the_command_writes_the_overview(played: SyntheticRun, tmp_path: Path) -> None:
    main([str(played.folder), str(tmp_path / "overview.png")])
    height, width, _ = imread(tmp_path / "overview.png").shape
    assert width == 8 * pictures.DPI
    assert height > width / 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "x.png"], "nowhere: must be a run's directory"),
        (["{run}", "x.doc"], "Format 'doc' is not supported"),
        (["{run}", "no/such/x.png"], "No such file or directory"),
    ],
)
def test_what_the_command_cannot_do_is_said(
    arguments: list[str],
    said: str,
    played: SyntheticRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exited:
        main([each.format(run=played.folder) for each in arguments])
    assert exited.value.code == 2
    assert said in capsys.readouterr().err


def test_no_screen_is_needed(played: SyntheticRun, tmp_path: Path) -> None:
    # pyplot chooses a backend and keeps figures; a library must not.
    code = (
        "import sys; from analysis.__main__ import main; main(sys.argv[1:]); "
        "assert 'matplotlib.pyplot' not in sys.modules; assert 'ray' not in sys.modules"
    )
    command = [sys.executable, "-c", code, str(played.folder), str(tmp_path / "x.png")]
    subprocess.run(command, check=True)
    assert (tmp_path / "x.png").exists()
