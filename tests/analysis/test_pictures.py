"""All pictures × all kinds of runs: each is drawn, quietly, and changes nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from distribution_catalogue import FIXED, GRID, MAZE
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text
from synthetic_run import SyntheticRun

import analysis
from analysis import pictures
from analysis.__main__ import main
from analysis.frames import Run, run_of
from analysis.pictures import legends
from analysis.pictures.generalisation import knob_axes
from analysis.pictures.knob_axis import legal_range
from analysis.pictures.style import look
from analysis.suite_levels import suite_levels
from orchestrator.env_space import EnvSpace
from orchestrator.knobs import Continuous, Integer

Begin = Callable[..., SyntheticRun]
Make = Callable[[Path, Begin], Run]

DOLLARS = EnvSpace({"a_$x$": Continuous(0.0, 1.0), "$b": Integer(1, 9)})
PLAIN = {
    "algorithm": {"search": {"lr": {"low": 1e-4, "high": 3e-3, "scale": "log"}}},
    "evaluation": {"levels": 2, "test_levels": 16, "seed": 0},
}


def _told(folder: Path) -> Run:
    """A run whose file says what is searched and played; the test suite was played by m0."""
    run = analysis.load(folder)
    arms = dict.fromkeys(run.space, PLAIN)
    columns = list(run.levels)
    levels = pd.DataFrame(list(suite_levels(arms, run.space)), columns=columns)
    tested = [
        (arm, seed, 0, 4, "test", level, 10.0 * level + seed, 1.0)
        for arm, seed in run.populations
        for level in range(16)
    ]
    scores = pd.concat([run.scores, pd.DataFrame(tested, columns=list(run.scores))])
    return replace(run, arms=arms, levels=levels, scores=scores)


def _trained(size: int = 4, **options: Any) -> Make:
    def make(folder: Path, begin: Begin) -> Run:
        run = begin(folder / "run", size=size, **options)
        for iteration in (4, 8):
            run.boundary(iteration, {each: 10.0 * each + iteration for each in range(size)})
            run.mutate(0)
        run.train(9)
        return _told(run.folder)

    return make


def _of_several_arms(folder: Path, begin: Begin) -> Run:
    arms = tuple(f"{letter}$_{letter}" for letter in "abcdefg")
    run = begin(folder / "run", arms=arms, seeds=(0, 1), size=2)
    for iteration in (1, 2, 3, 4):
        run.train(iteration)
    run.score(0, 10.0, 4)
    found = _told(run.folder)
    own = found.scores[found.scores["suite"] == "select"]
    others = [own.assign(arm=arm, seed=seed) for arm, seed in found.populations[1:]]
    return replace(found, scores=pd.concat([found.scores, *others], ignore_index=True))


def _only_begun(folder: Path, begin: Begin) -> Run:
    return analysis.load(begin(folder / "run").folder)


def _unscored(folder: Path, begin: Begin) -> Run:
    run = begin(folder / "run")
    run.train(1)
    return analysis.load(run.folder)


def _never_finite(folder: Path, begin: Begin) -> Run:
    run = begin(folder / "run")
    run.train(1)
    for member in range(4):
        run.score(member, None, 1)
    found = _told(run.folder)
    return replace(found, scores=found.scores.assign(**{"return": np.nan, "score": np.nan}))


def _of_one_level(folder: Path, begin: Begin) -> Run:
    run = _trained()(folder, begin)
    return replace(
        run,
        scores=run.scores[run.scores["level"] == 0],
        levels=run.levels[run.levels["level"] == 0],
    )


def _empty(folder: Path, begin: Begin) -> Run:
    return run_of(folder, [])


RUNS: dict[str, Make] = {
    "four members": _trained(),
    "one member": _trained(size=1),
    "a crowd": _trained(size=14),
    "a crowd in mazes": _trained(size=14, space=MAZE),
    "seven arms": _of_several_arms,
    "every kind of knob": _trained(space=MAZE),
    "cells": _trained(space=GRID),
    "knobs of one value": _trained(space=FIXED),
    "no knobs": _trained(space=EnvSpace({})),
    "dollars": _trained(space=DOLLARS),
    "one level": _of_one_level,
    "never finite": _never_finite,
    "unscored": _unscored,
    "only begun": _only_begun,
    "empty": _empty,
}


@pytest.fixture(params=RUNS.values(), ids=RUNS)
def run(request: pytest.FixtureRequest, tmp_path: Path, begin: Begin) -> Run:
    make: Make = request.param
    return make(tmp_path, begin)


@pytest.fixture
def unchanged() -> Iterator[None]:
    """Matplotlib's settings are afterwards what they were."""
    before = dict(rcParams)
    yield
    assert dict(rcParams) == before


def _draws(run: Run) -> Iterator[tuple[str, Callable[[Axes], Axes]]]:
    """Every function on every population, knob and hyperparameter of a run."""
    for by in ("iteration", "member", "seed", "arm"):
        yield f"time by {by}", lambda ax, by=by: pictures.time_spent(run.seconds, ax, by=by)
        for suite in ("select", "test"):
            played = run.scores[run.scores["suite"] == suite]
            yield (
                f"{suite} levels by {by}",
                lambda ax, by=by, played=played: pictures.level_heat_map(played, ax, by=by),
            )
    yield "coverage by arm", lambda ax: pictures.coverage_by_arm(run, ax)
    for arm, space in run.space.items():
        for x, y in zip(knob_axes(space), knob_axes(space)[1:], strict=False):
            yield (
                f"map of {x}, {y}",
                lambda ax, x=x, y=y, arm=arm: pictures.generalisation_map(run, x, y, ax, arm=arm),
            )
    own = [run.of(arm, seed) for arm, seed in run.populations[:2]] or [run]
    for one in own:
        yield "scores", lambda ax, one=one: pictures.scores(one, ax)
        yield "lineage", lambda ax, one=one: pictures.lineage_tree(one, ax)
        yield "coverage", lambda ax, one=one: pictures.coverage(one, ax)
        for knob in [name for space in one.space.values() for name in space.names]:
            yield f"ribbon of {knob}", lambda ax, o=one, k=knob: pictures.ribbon(o, k, ax)
            yield f"coverage of {knob}", lambda ax, o=one, k=knob: pictures.coverage(o, ax, k)
        for name in dict.fromkeys(one.hyperparameters["name"]):
            yield name, lambda ax, o=one, n=name: pictures.hyperparameters(o, n, ax)


@pytest.mark.usefixtures("unchanged")
def test_every_function_draws_on_the_axes_that_it_is_given(run: Run) -> None:
    for what, draw in _draws(run):
        figure = Figure()
        ax = figure.subplots()
        assert draw(ax) is ax, what
        assert ax.has_data() or ax.texts, what
        # Labels and ticks are only made now; whatever is wrong with them warns or raises.
        figure.draw_without_rendering()


COMPARING = ("learning_curves", "performance_profiles")


@pytest.mark.usefixtures("unchanged")
def test_every_picture_of_a_run_is_a_figure(run: Run) -> None:
    for name in pictures.NAMES:
        if name not in COMPARING:
            figure = pictures.picture(run, name)
            figure.draw_without_rendering()
            assert figure.axes, name


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", COMPARING)
@pytest.mark.parametrize("kind", ["four members", "seven arms"])
def test_arms_of_a_run_are_compared(name: str, kind: str, tmp_path: Path, begin: Begin) -> None:
    (ax,) = pictures.picture(RUNS[kind](tmp_path, begin), name).axes
    assert ax.lines


def test_no_text_of_a_user_is_a_formula(tmp_path: Path, begin: Begin) -> None:
    run = _of_several_arms(tmp_path, begin)
    dollars = _trained(space=DOLLARS)(tmp_path / "dollars", begin)
    for one in (run, dollars):
        for name in pictures.NAMES:
            figure = pictures.picture(one, name)
            figure.draw_without_rendering()
            texts = [text for text in figure.findobj(Text) if "$" in text.get_text()]
            assert not any(text.get_parse_math() for text in texts), name


# The overview.


def test_an_overview_has_a_panel_for_scores_and_one_for_each_knob(played: SyntheticRun) -> None:
    figure = pictures.overview(analysis.load(played.folder))
    top, *below = figure.axes
    assert "score" in top.get_ylabel()
    assert [ax.get_ylabel() for ax in below] == ["gravity", "length", "masspole"]
    assert [ax.get_xlabel() for ax in figure.axes] == ["", "", "", "training iteration"]
    assert len({ax.get_xlim() for ax in figure.axes}) == 1
    (legend,) = figure.legends
    said = [text.get_text() for text in legend.get_texts()]
    assert {"m0", "m1", "m2", "m3", "ancestry of the best"} < set(said)
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


def test_of_many_populations_the_first_seeds_are_shown(tmp_path: Path, begin: Begin) -> None:
    run = _of_several_arms(tmp_path, begin)
    figure = pictures.overview(run)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert titles == [f"{letter}$_{letter}, seed 0" for letter in "abcdefg"]
    assert figure.get_suptitle().endswith("7 of 14 populations shown")


def test_a_run_that_has_only_begun_has_an_overview(tmp_path: Path, begin: Begin) -> None:
    begun = pictures.overview(_only_begun(tmp_path, begin))
    assert [text.get_text() for text in begun.axes[0].texts] == ["no member was scored yet"]
    nothing = pictures.overview(run_of(tmp_path, []))
    assert [text.get_text() for text in nothing.axes[0].texts] == ["no member was started yet"]


# The look.


def test_members_look_different_from_each_other() -> None:
    assert len({(each["color"], each["marker"]) for each in map(look, range(49))}) == 49


def test_a_crowd_is_not_listed() -> None:
    assert len(legends.keys(range(12))) == 12 + 3
    assert legends.keys(range(13))[0].get_label() == "a member"


def test_a_legend_is_read_row_by_row() -> None:
    ax = Figure().subplots()
    drawn = legends.legend(ax, legends.member_keys(range(7)), ncols=4)
    # Matplotlib fills columns: of seven entries the last one of four columns has one only.
    said = [text.get_text() for text in drawn.get_texts()]
    assert said == ["m0", "m4", "m1", "m5", "m2", "m6", "m3"]


def test_a_style_is_gone_with_its_block() -> None:
    before = dict(rcParams)
    with pictures.style():
        assert rcParams["xtick.labelsize"] == 8
        assert rcParams["pdf.fonttype"] == 42
    assert dict(rcParams) == before


def test_text_is_of_a_size_that_can_be_read_in_print(played: SyntheticRun) -> None:
    figure = pictures.overview(analysis.load(played.folder))
    figure.draw_without_rendering()
    sizes = {text.get_fontsize() for text in figure.findobj(Text) if text.get_text()}
    assert sizes == {8.0, 9.0, 10.5}


@pytest.mark.parametrize(
    ("knob", "ticks"),
    [
        (Continuous(0.25, 2.0, "log"), [0.25, 0.5, 1, 2]),
        (Continuous(5.0, 20.0), [5, 8, 12, 16, 20]),
        (Integer(1, 1000, "log"), [1, 10, 100, 1000]),
        (Continuous(9.8, 9.8), [9.8]),
        (Continuous(1e-300, 1e300, "log"), [1e-300, 1e300]),
    ],
)
@pytest.mark.parametrize("which", ["x", "y"])
def test_ticks_are_both_ends_and_round_numbers_between(
    knob: Continuous | Integer, ticks: list[float], which: Any
) -> None:
    ax = Figure().subplots()
    legal_range(ax, knob, which)
    drawn = ax.get_xticks() if which == "x" else ax.get_yticks()
    assert drawn[0] == pytest.approx(ticks[0])
    assert drawn[-1] == pytest.approx(ticks[-1])
    if len(drawn) <= len(ticks):
        assert list(drawn) == pytest.approx(ticks)


# Files and the command.


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_picture_is_saved_in_the_format_of_its_ending(
    ending: str, played: SyntheticRun, tmp_path: Path
) -> None:
    figure = pictures.picture(analysis.load(played.folder), "lineage_tree")
    pictures.save(figure, tmp_path / f"tree.{ending}")
    assert (tmp_path / f"tree.{ending}").stat().st_size > 1000


def test_a_saved_pdf_has_fonts_that_publishers_take(played: SyntheticRun, tmp_path: Path) -> None:
    pictures.save(pictures.overview(analysis.load(played.folder)), tmp_path / "x.pdf")
    assert b"/Type3" not in (tmp_path / "x.pdf").read_bytes()


def test_the_command_writes_the_overview(played: SyntheticRun, tmp_path: Path) -> None:
    main([str(played.folder), str(tmp_path / "overview.png")])
    height, width, _ = imread(tmp_path / "overview.png").shape
    assert width == 8 * pictures.DPI
    assert height > width / 2


def test_the_command_writes_the_picture_that_is_named(
    tmp_path: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = begin(tmp_path / "run", arms=("a", "b"), size=2).folder
    drawn: list[tuple[Any, str]] = []

    def picture(run: Run, name: str) -> Figure:
        drawn.append((run.populations, name))
        return Figure()

    monkeypatch.setattr(pictures, "picture", picture)
    where = [str(folder), str(tmp_path / "x.png")]
    main([*where, "--picture", "ribbon"])
    main([*where, "--picture", "scores", "--arm", "b"])
    assert drawn == [((("a", 0), ("b", 0)), "ribbon"), ((("b", 0),), "scores")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "x.png"], "nowhere: must be a run's directory"),
        (["{run}", "x.doc"], "Format 'doc' is not supported"),
        (["{run}", "no/such/x.png"], "No such file or directory"),
        (
            ["{run}", "x.png", "--picture", "lineage"],
            "must be one of overview, coverage, ",
        ),
        (["{run}", "x.png", "--picture", "lineage"], "(did you mean 'lineage_tree'?)"),
        (["{run}", "x.png", "--arm", "b"], "'b' and None fit 0; the run has ('main', 0)"),
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


def test_all_public_names_are_there() -> None:
    assert all(hasattr(pictures, name) for name in pictures.__all__)
