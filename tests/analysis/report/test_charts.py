"""Charts: what they draw is what the frames say, and nothing in them is more than text."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from distribution_catalogue import GRID, MAZE
from hypothesis import given
from hypothesis import strategies as st
from synthetic_run import SyntheticRun

import analysis
from analysis.comparison.values import ArmResult, Comparison, Estimate, Pair, Verdict
from analysis.frames import Run
from analysis.report.cast import STAND_OUT, cast, shown
from analysis.report.charts import Chart, joined, log_axis, look, plain, said, thinned
from analysis.report.comparison_charts import of_comparison
from analysis.report.held import grid, held, steps
from analysis.report.run_charts import of_population
from orchestrator.env_space import EnvSpace
from orchestrator.knobs import Choice, Continuous

Begin = Callable[..., SyntheticRun]
HOSTILE = "</script><img src=x onerror=alert(1)>\"'&<b>$x$"


def of_run(run: Run, among: int = 1) -> list[Chart]:
    return of_population(cast(run, among))


def by_id(charts: list[Chart]) -> dict[str, Chart]:
    """The charts; each is checked to be one that Plotly and JSON take."""
    for chart in charts:
        go.Figure(chart.figure)
        for control in chart.controls:
            for option in control.options:
                json.dumps([option.data, option.layout], allow_nan=False)
        json.dumps(chart.figure, allow_nan=False)
        assert chart.caption.endswith("."), chart.caption
        assert len(chart.table) > 0
    found = {chart.id: chart for chart in charts}
    assert len(found) == len(charts), "ids must differ"
    return found


def traces(chart: Chart) -> dict[str, dict[str, Any]]:
    """Those with a place in the legend, by name."""
    data = chart.figure["data"]
    return {each["name"]: each for each in data if each.get("showlegend", True) and "name" in each}


def texts(value: object) -> Iterator[str]:
    """All strings in a piece of JSON, keys apart."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts(each)


# ---- what charts are made of


def test_text_is_shown_as_it_is_and_not_as_html_or_tex() -> None:
    assert said("<b>&amp;$x$</b>") == "&lt;b&gt;&amp;amp;&#36;x&#36;&lt;/b&gt;"
    assert said("two\nlines\t\x00") == "two lines  "
    assert said("x" * 60, longest=10) == "x" * 9 + "…"
    assert said([1, {"a": None}]) == '[1,{"a":null}]'


def test_numbers_are_json() -> None:
    values = [1.0, np.int64(3), np.float64(0.123456789), math.nan, math.inf, None, 1e300]
    assert plain(values) == [1, 3, 0.12346, None, None, None, 1e300]
    json.dumps(plain(values), allow_nan=False)


def test_lines_are_joined_with_gaps() -> None:
    assert joined([[1, 2], [3], []]) == [1, 2, None, 3, None]
    assert joined([]) == []


def _luminance(colour: str) -> float:
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("page", ["#ffffff", "#15171a"])
def test_every_colour_has_a_contrast_of_three_to_a_light_and_to_a_dark_page(page: str) -> None:
    for index in range(7):
        lights = sorted([_luminance(look(index).colour), _luminance(page)])
        assert (lights[1] + 0.05) / (lights[0] + 0.05) >= 3, look(index)


def test_twenty_eight_looks_differ() -> None:
    assert len({look(index).colour for index in range(7)}) == 7
    assert len({look(index) for index in range(28)}) == 28


@given(
    st.lists(st.floats(allow_infinity=False), max_size=200),
    st.integers(min_value=4, max_value=40),
)
def test_what_is_thinned_keeps_its_ends_and_its_extremes(values: list[float], most: int) -> None:
    kept = thinned(values, most)
    assert kept == sorted(set(kept))
    assert len(kept) <= max(most, 0)
    if not values:
        return
    assert kept[0] == 0
    assert kept[-1] == len(values) - 1
    finite = [value for value in values if not math.isnan(value)]
    if finite:
        of_kept = [values[at] for at in kept if not math.isnan(values[at])]
        assert min(of_kept) == min(finite)
        assert max(of_kept) == max(finite)


def test_too_few_points_are_refused() -> None:
    with pytest.raises(ValueError, match="`4 <= most` must hold, but got 3"):
        thinned([1.0] * 10, 3)


def test_a_log_axis_has_its_ends_and_round_numbers() -> None:
    assert log_axis("x", 0.25, 2.0)["tickvals"] == [0.25, 0.5, 1, 2]
    assert log_axis("x", 0.3, 3.2)["ticktext"] == ["0.3", "0.5", "1", "2", "3.2"]
    assert log_axis("x", 0.4, 2.1)["ticktext"] == ["0.4", "0.5", "1", "2.1"], "2 is too near 2.1"
    assert log_axis("x", 3.0, 3.0)["tickvals"] == [3]


def test_what_holds_is_what_changed_last() -> None:
    rows = [(0, 0, 1.0), (0, 4, 2.0), (0, 4, 3.0), (1, 2, 7.0)]
    changes = pd.DataFrame(rows, columns=["member", "iteration", "low"])
    found = held(changes, "low", np.array([0, 3, 4, 9]))
    np.testing.assert_array_equal(found[0], [1, 1, 3, 3])
    np.testing.assert_array_equal(found[1], [math.nan, 7, 7, 7])


def test_steps_end_where_the_member_does() -> None:
    changes = pd.DataFrame({"iteration": [0, 4, 4, 8], "low": [1.0, 2.0, 3.0, 4.0]})
    times, rows = steps(changes, until=10, most=20)
    assert times == [0, 4, 8, 10]
    assert rows["low"].to_list() == [1, 3, 4, 4]
    times, rows = steps(changes, until=10, most=2)
    assert (times, rows["low"].to_list()) == ([0, 8, 10], [1, 4, 4])


def test_a_grid_reaches_from_the_start_to_the_end() -> None:
    assert grid(3, 100).tolist() == [0, 1, 2, 3]
    assert grid(100, 3).tolist() == [0, 50, 100]


# ---- of a run


@pytest.fixture
def run(played: SyntheticRun) -> Run:
    return analysis.load(played.folder)


def test_scores_break_where_a_member_became_a_copy(run: Run) -> None:
    chart = by_id(of_run(run))["scores"]
    lines = traces(chart)
    assert lines["m3"]["x"] == [4, 8, 12]
    assert lines["m3"]["y"] == [40, 50, 55]
    assert lines["m0"]["x"] == [4, None, 4, 8, 12]
    assert lines["m0"]["y"] == [10, None, 40, 45, 60]
    assert lines["exploit"]["x"] == [4, 4, None, 8, 8, None, 12, 12]
    assert lines["exploit"]["y"] == [10, 40, None, 25, 50, None, 15, 70]
    assert lines["exploit"]["text"][0] == "m0 copies m3 as of 4"


def test_the_ancestry_of_the_best_is_underlaid(run: Run) -> None:
    best = traces(by_id(of_run(run))["scores"])["lineage of m1"]
    assert (best["x"], best["y"]) == ([4, 8, 12], [40, 50, 70])


def test_captions_say_what_is_to_be_seen(run: Run) -> None:
    charts = by_id(of_run(run))
    assert charts["scores"].caption == (
        "m1 ends best at 70; its weights came by way of m3 → m1; 3 exploits."
    )
    assert charts["time"].caption == "48 s of members' time: 100% train."
    assert charts["hyperparameter-0"].caption.startswith("Members began at 0.001…0.004 and end at ")


def test_the_table_of_the_scores_has_a_row_per_member(run: Run) -> None:
    table = by_id(of_run(run))["scores"].table
    assert table["member"].to_list() == ["m1", "m0", "m3", "m2"]
    assert table["last score"].to_list() == [70, 60, 55, 15]
    assert table["best score"].to_list() == [70, 60, 55, 35]
    assert table["exploits"].to_list() == [1, 1, 0, 1]


def test_a_member_has_the_same_colour_everywhere(run: Run) -> None:
    for chart in of_run(run):
        for name, trace in traces(chart).items():
            if name in ("m0", "m1", "m2", "m3"):
                assert trace["line"]["color"] == look(int(name[1])).colour


def test_a_ribbon_is_drawn_between_the_ends_that_the_frames_tell(run: Run) -> None:
    chart = by_id(of_run(run))["knob-1"]
    assert chart.title == "Env distribution of length"
    own = run.distributions[run.distributions["knob"] == "length"]
    own = own[own["member"] == 0]
    high = traces(chart)["m0"]
    low = next(each for each in chart.figure["data"] if each["name"] == "m0")
    assert high["x"] == [0, 4, 12]
    assert high["y"] == plain([*own["high"], own["high"].iloc[-1]])
    assert low["y"] == plain([*own["low"], own["low"].iloc[-1]])
    assert high["fill"] == "tonexty"


def test_what_is_not_legal_is_grey(run: Run) -> None:
    layout = by_id(of_run(run))["knob-0"].figure["layout"]
    assert layout["yaxis"]["title"]["text"] == "gravity"
    below, above = layout["shapes"]
    assert (below["y1"], above["y0"]) == (5.0, 20.0)
    low, high = layout["yaxis"]["range"]
    assert (below["y0"], above["y1"]) == (low, high)
    of_log = by_id(of_run(run))["knob-1"].figure["layout"]
    assert of_log["yaxis"]["type"] == "log"
    assert of_log["shapes"][0]["y1"] == pytest.approx(0.25)


def test_choices_and_simplices_are_heat_maps_of_their_weights(tmp_path: Path, begin: Begin) -> None:
    made = begin(tmp_path / "maze", space=MAZE)
    made.boundary(4, {0: 10.0, 1: 20.0, 2: 30.0, 3: 40.0})
    charts = by_id(of_run(analysis.load(made.folder)))
    layout = next(each for each in charts.values() if each.title.endswith("layout"))
    (heat,) = layout.figure["data"]
    assert len(heat["z"]) == 10, "five values, of all members and of the best one's lineage"
    np.testing.assert_allclose(np.array(heat["z"], dtype=float)[:, 0], 0.2)
    assert layout.figure["layout"]["yaxis"]["ticktext"][:2] == [
        "open · all",
        "open · m3’s lineage",
    ]
    reward = next(each for each in charts.values() if each.title.endswith("reward"))
    assert reward.table["weight at first"].to_list() == [1, 1, 0, 0, 0, 0]


def test_cells_are_drawn_by_how_many_are_set(tmp_path: Path, begin: Begin) -> None:
    made = begin(tmp_path / "grid", space=GRID)
    made.boundary(4, {0: 10.0, 1: 20.0, 2: 30.0, 3: 40.0})
    charts = by_id(of_run(analysis.load(made.folder)))
    walls = next(each for each in charts.values() if each.title.endswith("walls"))
    assert traces(walls)["m3"]["y"] == [3, 3]


def drawn(*rows: tuple[int, int, str, float, float]) -> pd.DataFrame:
    columns = ["member", "iteration", "knob", "low", "high"]
    frame = pd.DataFrame(rows, columns=columns)
    who = {"arm": "main", "seed": 0, "revision": range(len(frame))}
    frame = frame.assign(**who, weights=None, spread=math.nan)
    return frame.astype({"weights": "object"})


def test_coverage_is_the_share_of_the_legal_range_that_anybody_draws(run: Run) -> None:
    space = EnvSpace({"a": Continuous(0.0, 10.0), "b": Continuous(1.0, 100.0, "log")})
    rows = drawn(
        (0, 0, "a", 0.0, 4.0), (0, 0, "b", 1.0, 10.0), (1, 0, "a", 2.0, 5.0), (1, 0, "b", 1.0, 1.0),
        (1, 8, "a", 8.0, 10.0), (1, 8, "b", 10.0, 100.0),
    )  # fmt: skip
    two = replace(run, distributions=rows, space={"main": space})
    chart = by_id(of_run(two))["coverage"]
    lines = traces(chart)
    assert lines["a"]["y"][0] == 0.5
    assert lines["a"]["y"][-1] == 0.6
    assert lines["b"]["y"][0] == 0.5
    assert lines["b"]["y"][-1] == 1
    assert lines["a, m1"]["y"][0] == pytest.approx(0.3)
    assert chart.caption == (
        "All members together train on 80% of the legal ranges in the end (50% at first), "
        "least of a (60%)."
    )


def test_a_choice_is_covered_as_the_mean_weights_of_all_members_do(run: Run) -> None:
    space = EnvSpace({"a": Choice(("x", "y", "z", "w"))})
    rows = drawn((0, 0, "a", math.nan, math.nan), (1, 0, "a", math.nan, math.nan))
    weights = [
        {'"x"': 1.0, '"y"': 0.0, '"z"': 0.0, '"w"': 0.0},
        {'"x"': 0.5, '"y"': 0.5, '"z"': 0.0, '"w"': 0.0},
    ]
    two = replace(run, distributions=rows.assign(weights=weights), space={"main": space})
    # Together three quarters and one: as varied as exp(0.5623) = 1.755 of 4 equal values.
    covered = traces(by_id(of_run(two))["coverage"])["a"]["y"][0]
    assert covered == pytest.approx(1.7548 / 4, abs=1e-4)


def test_hyperparameters_are_staircases(run: Run) -> None:
    chart = by_id(of_run(run))["hyperparameter-0"]
    assert chart.title == "Hyperparameter lr"
    own = run.hyperparameters[run.hyperparameters["member"] == 0]
    line = traces(chart)["m0"]
    assert line["x"] == [0, 4, 12]
    assert line["y"] == plain([*own["number"], own["number"].iloc[-1]])
    assert line["line"]["shape"] == "hv"


def test_hyperparameters_that_are_no_numbers_are_named_on_the_axis(run: Run) -> None:
    rows = run.hyperparameters.assign(name="optimizer", number=math.nan)
    rows["value"] = ["adam" if member else "sgd" for member in rows["member"]]
    chart = by_id(of_run(replace(run, hyperparameters=rows)))["hyperparameter-0"]
    assert chart.figure["layout"]["yaxis"]["ticktext"] == ["adam", "sgd"]
    assert traces(chart)["m0"]["y"] == [1, 1, 1]
    assert "3 × adam" in chart.caption


def test_levels_are_a_heat_map_of_the_newest_boundary(run: Run) -> None:
    chart = by_id(of_run(run))["levels"]
    (heat,) = chart.figure["data"]
    assert heat["y"] == ["m1", "m0", "m3", "m2"]
    assert heat["z"] == [[70, 70], [60, 60], [55, 55], [15, 15]]


def after_tests(run: Run, returns: list[float]) -> Run:
    """The run after its best checkpoint has played a test suite over length, gravity and a mode."""
    count = len(returns)
    rows = pd.DataFrame({"level": range(count), "return": returns})
    rows = rows.assign(arm="main", seed=0, member=1, iteration=12, suite="test", score=0.0)
    levels = [
        ("main", "test", level, knob, value, value if isinstance(value, float) else math.nan)
        for level in range(count)
        for knob, value in (("length", 0.5 + level), ("gravity", 10.0 - level), ("mode", "fast"))
    ]
    columns = ["arm", "suite", "level", "knob", "value", "number"]
    (space,) = run.space.values()
    knobs = {name: knob for name, knob in space.knobs.items() if name != "masspole"}
    knobs["mode"] = Choice(("slow", "fast"))
    return replace(
        run,
        scores=pd.concat([run.scores, rows[list(run.scores)]], ignore_index=True),
        levels=pd.DataFrame(levels, columns=columns),
        space={"main": EnvSpace(knobs)},
        distributions=run.distributions.iloc[:0],
    )


def test_the_map_shows_returns_over_knobs_that_the_reader_chooses(run: Run) -> None:
    chart = by_id(of_run(after_tests(run, [1.0, 5.0, 3.0])))["map"]
    (points,) = chart.figure["data"]
    assert points["x"] == [10, 9, 8]
    assert points["y"] == [0.5, 1.5, 2.5]
    assert points["marker"]["color"] == [1, 5, 3]
    assert chart.caption == (
        "m1 at 12 on the test suite, 3 on average. Hardest is level 0 (length 0.5, gravity 10, "
        "mode fast): 1; easiest is level 1 (length 1.5, gravity 9, mode fast): 5."
    )
    across, up = chart.controls
    assert [option.label for option in across.options] == ["gravity", "length", "mode"]
    assert [option.label for option in up.options] == ["length", "gravity", "mode"]
    assert across.options[1].data == {"x": [[0.5, 1.5, 2.5]]}
    assert across.options[1].layout["xaxis.title.text"] == "length"
    assert across.options[1].layout["xaxis.type"] == "log"
    mode = up.options[2]
    assert mode.data == {"y": [[1, 1, 1]]}
    assert mode.layout["yaxis.ticktext"] == ["slow", "fast"]
    assert mode.layout["yaxis.type"] == "linear"
    for data, start in ((across.options[0], "x"), (up.options[0], "y")):
        assert data.data[start] == [points[start]], "the first option is how the figure is"


def test_equal_returns_have_a_scale_all_the_same(run: Run) -> None:
    chart = by_id(of_run(after_tests(run, [2.0, 2.0])))["map"]
    marker = chart.figure["data"][0]["marker"]
    assert (marker["cmin"], marker["cmax"]) == (1, 2)
    assert chart.caption.endswith("Every level brings 2.")


def test_time_is_told_by_part(run: Run) -> None:
    rows = run.seconds
    scoring = rows[rows["iteration"] % 4 == 0].assign(part="score", seconds=3.0)
    both = pd.concat([rows, scoring], ignore_index=True)
    chart = by_id(of_run(replace(run, seconds=both)))["time"]
    bars = {trace["name"]: trace for trace in chart.figure["data"]}
    assert bars["train"]["y"] == [1] * 12
    assert bars["score"]["y"] == [0, 0, 0, 3] * 3
    assert chart.table["share"].to_list() == [48 / 84, 36 / 84]
    assert chart.caption == "84 s of members' time: 57% train, 43% score."


def test_what_is_not_known_is_left_out(tmp_path: Path, begin: Begin) -> None:
    begun = begin(tmp_path / "begun")
    charts = by_id(of_run(analysis.load(begun.folder)))
    assert set(charts) == {"knob-0", "knob-1", "knob-2", "coverage", "hyperparameter-0"}


def test_a_score_that_is_not_finite_is_a_gap(tmp_path: Path, begin: Begin) -> None:
    made = begin(tmp_path / "gap")
    made.train(8)
    for member in range(4):
        made.score(member, None, 4)
        made.score(member, 10.0 + member, 8)
    line = traces(by_id(of_run(analysis.load(made.folder)))["scores"])["m2"]
    assert line["y"] == [None, 12]


def test_one_population_is_wanted(tmp_path: Path, begin: Begin) -> None:
    made = begin(tmp_path / "two", seeds=(0, 1))
    run = analysis.load(made.folder)
    with pytest.raises(ValueError, match="must name one population"):
        of_run(run)
    assert by_id(of_run(run.of("main", 1)))


def test_of_many_members_some_stand_out_and_the_others_are_grey(
    tmp_path: Path, begin: Begin
) -> None:
    made = begin(tmp_path / "twenty", size=20)
    made.boundary(4, {member: float(member) for member in range(20)})
    made.boundary(8, {member: 100.0 - member for member in range(20)})
    charts = by_id(of_run(analysis.load(made.folder)))
    names = [name for name in traces(charts["scores"]) if name.startswith("m")]
    assert len(names) == STAND_OUT
    assert {"m0", "m1", "m2"} <= set(names)
    assert f"{20 - STAND_OUT} others" in traces(charts["scores"])
    assert "80 % of all members' ends" in traces(charts["knob-0"])
    assert f"{20 - STAND_OUT} of 20 members are grey" in charts["scores"].caption


def test_the_more_populations_share_the_file_the_less_is_drawn_of_each(
    tmp_path: Path, begin: Begin
) -> None:
    made = begin(tmp_path / "twenty", size=20)
    for iteration in range(1, 61):
        made.train(iteration)
        for member in range(20):
            made.score(member, float(member * iteration), iteration)
    run = analysis.load(made.folder)
    alone, beside = by_id(of_run(run)), by_id(of_run(run, among=40))
    assert len(traces(alone["scores"])["m19"]["x"]) == 60
    assert len(traces(beside["scores"])["m19"]["x"]) == 24
    assert len(alone["levels"].figure["data"][0]["y"]) == 20
    assert len(beside["levels"].figure["data"][0]["y"]) == 16
    assert beside["levels"].caption.endswith("The 4 members with the lowest scores are left out.")


def test_of_very_many_populations_the_best_of_each_arm_are_shown(
    tmp_path: Path, begin: Begin
) -> None:
    made = begin(tmp_path / "many", arms=("a", "b"), seeds=tuple(range(25)), size=2)
    run = analysis.load(made.folder)
    scores = pd.DataFrame(
        [(arm, seed, 0, 4, "select", 0, 1.0, float(seed)) for arm, seed in run.populations],
        columns=list(run.scores),
    )
    found = shown(replace(run, scores=scores))
    assert len(found.populations) == 40
    assert set(found.populations) == {(arm, seed) for arm in "ab" for seed in range(5, 25)}
    assert found.left_out.startswith("10 of 50 populations are left out here")
    few = shown(run.of("a", 3))
    assert (few.populations, few.left_out) == ((("a", 3),), "")


def test_names_that_are_html_are_escaped_in_every_figure(tmp_path: Path, begin: Begin) -> None:
    space = EnvSpace(
        {HOSTILE: Continuous(1.0, 2.0), "map": Choice((HOSTILE, "b")), "z": Continuous(0.0, 1.0)}
    )
    made = begin(tmp_path / "hostile", space=space)
    made.boundary(4, {0: 10.0, 1: 20.0, 2: 30.0, 3: 40.0})
    run = analysis.load(made.folder)
    run = replace(
        run,
        hyperparameters=run.hyperparameters.assign(name=HOSTILE, value=HOSTILE, number=math.nan),
        seconds=run.seconds.assign(part=HOSTILE),
    )
    charts = by_id(of_run(run))
    everything = [
        *(text for chart in charts.values() for text in texts(chart.figure)),
    ]
    assert any("&lt;img src" in text for text in everything)
    for text in everything:
        assert "<img" not in text
        assert "</script" not in text
        assert "$" not in text
    assert charts["knob-0"].title == f"Env distribution of {HOSTILE}", "the page escapes titles"


# ---- of a comparison


def compared(*names: str) -> Comparison:
    """Arms of which the first is best, by 10 at each."""
    levels, seeds = range(3), (0, 1, 2)
    rows, curves, bands, profiles, arms = [], [], [], [], []
    for place, name in enumerate(names):
        value = 100.0 - 10 * place
        estimate = Estimate(value, value - 4, value + 2)
        arms.append(
            ArmResult(
                name=name, seeds=seeds, missing=(), levels=3, env_steps=4000.0, mean=estimate,
                iqm=estimate, cvar=Estimate(50.0 + place, math.nan, math.nan), area=None,
                steps_to_threshold=None, reached=None,
            )
        )  # fmt: skip
        for seed in seeds:
            rows += [(name, seed, level, value + level) for level in levels]
            curves += [(name, seed, step * 1000, value * step / 4) for step in range(1, 5)]
        bands += [
            (name, step * 1000, value * step / 4, value * step / 4 - 1, value * step / 4 + 1, 3)
            for step in range(1, 5)
        ]
        profiles += [(name, float(at), 1 - at / 200, 0.1, 0.9) for at in range(0, 200, 10)]
    pairs = tuple(
        Pair(one.name, other.name, Estimate(10.0, 4.0, 15.0), Estimate(0.8, 0.7, 0.95),
             1.0, 0.01, 0.03, 9.0, 0.1, 0.2)
        for one, other in itertools.combinations(arms, 2)
    )  # fmt: skip
    return Comparison(
        suite="test",
        alpha=0.25,
        threshold=None,
        baseline=None,
        arms=tuple(arms),
        pairs=pairs,
        verdict=Verdict(None, "", ()),
        profiles=pd.DataFrame(profiles, columns=["arm", "threshold", "share", "low", "high"]),
        curves=pd.DataFrame(curves, columns=["arm", "seed", "env_steps", "score"]),
        bands=pd.DataFrame(bands, columns=["arm", "env_steps", "mean", "low", "high", "seeds"]),
        scores=pd.DataFrame(rows, columns=["arm", "seed", "level", "return"]),
    )


def test_intervals_are_drawn_from_end_to_end_best_on_top() -> None:
    chart = by_id(of_comparison(compared("b", "a")))["intervals"]
    mean, _, cvar = chart.figure["data"]
    assert mean["x"] == [100, 90]
    assert mean["y"] == [0, 1]
    assert mean["error_x"]["arrayminus"] == [4, 4]
    assert mean["error_x"]["array"] == [2, 2]
    assert cvar["error_x"]["array"] == [0, 0], "an interval that is not known has no length"
    assert chart.figure["layout"]["yaxis"]["ticktext"] == ["b", "a"]
    assert chart.figure["layout"]["yaxis"]["range"] == [1.5, -0.5], "the first row is on top"
    assert chart.figure["layout"]["xaxis3"]["title"]["text"] == "CVaR (mean of the worst 25%)"
    assert chart.caption == (
        "b has the highest interquartile mean, 100 [96, 102]; the highest CVaR is that of a, 51."
    )
    assert chart.table["CVaR"].to_list() == ["50", "51"]


def test_learning_curves_have_bands_and_an_arm_looks_the_same_everywhere() -> None:
    charts = by_id(of_comparison(compared("b", "a")))
    lines = traces(charts["curves"])
    assert lines["b"]["x"] == [1000, 2000, 3000, 4000]
    assert lines["b"]["y"] == [25, 50, 75, 100]
    band = next(each for each in charts["curves"].figure["data"] if each.get("fill"))
    assert band["y"] == plain([value * 22.5 + 1 for value in range(1, 5)])
    for name, index in (("a", 0), ("b", 1)):
        assert lines[name]["line"]["color"] == look(index).colour
        assert traces(charts["profiles"])[name]["line"]["color"] == look(index).colour
    colours = charts["intervals"].figure["data"][0]["marker"]["color"]
    assert colours == [look(1).colour, look(0).colour]


def test_differences_and_improvements_are_told_both_ways() -> None:
    charts = by_id(of_comparison(compared("a", "b", "c")))
    points = charts["differences"].figure["data"][0]
    assert points["x"] == [10, 10, 10]
    assert points["error_x"]["array"] == [5, 5, 5]
    assert charts["differences"].figure["layout"]["yaxis"]["ticktext"][0] == "a − b"
    assert charts["differences"].caption == "3 of 3 intervals exclude zero (blue)."
    (heat,) = charts["improvement"].figure["data"]
    assert heat["z"] == [[None, 0.8, 0.8], [0.2, None, 0.8], [0.2, 0.2, None]]
    assert heat["customdata"][0][1] == "0.8 [0.7, 0.95]"
    assert heat["customdata"][1][0] == "0.2 [0.05, 0.3]"


def test_levels_of_arms_are_means_over_seeds() -> None:
    chart = by_id(of_comparison(compared("b", "a")))["levels"]
    (heat,) = chart.figure["data"]
    assert heat["z"] == [[100, 101, 102], [90, 91, 92]]
    assert chart.caption == (
        "Level 0 is hardest (95 on average); arms are furthest apart on level 0: b 100, a 90."
    )


def test_a_single_arm_has_nobody_to_be_compared_with() -> None:
    assert set(by_id(of_comparison(compared("only")))) == {
        "intervals",
        "curves",
        "profiles",
        "levels",
    }


def test_names_of_arms_that_are_html_are_escaped() -> None:
    for chart in of_comparison(compared(HOSTILE, HOSTILE + "2", "c")):
        for text in texts(chart.figure):
            assert "<img" not in text
            assert "$" not in text


def test_many_pairs_are_not_all_drawn() -> None:
    chart = by_id(of_comparison(compared(*(f"arm {index}" for index in range(12)))))["differences"]
    assert len(chart.figure["data"][0]["x"]) == 45
    assert len(chart.table) == 66
    assert "The first 45 are drawn; the table has all." in chart.caption
