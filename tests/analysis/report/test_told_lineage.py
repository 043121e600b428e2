"""What the lineage explorer is told is what the frames say, and not too much."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from distribution_catalogue import GRID, MAZE
from synthetic_run import SyntheticRun

import analysis
from analysis.frames import Run
from analysis.report.cast import cast
from analysis.report.charts import Chart, plain
from analysis.report.run_charts import of_population
from analysis.report.told_lineage import told_lineage
from benchmarks import made_journal

Begin = Callable[..., SyntheticRun]


def of_run(run: Run, among: int = 1) -> list[Chart]:
    return of_population(cast(run, among))


def lineage_of(run: Run, among: int = 1) -> dict[str, Any]:
    return told_lineage(cast(run, among))


@pytest.fixture
def run(played: SyntheticRun) -> Run:
    return analysis.load(played.folder)


def size(value: object) -> int:
    return len(json.dumps(value, allow_nan=False, separators=(",", ":")))


def member(told: dict[str, Any], number: int) -> dict[str, Any]:
    (found,) = (each for each in told["members"] if each["member"] == number)
    return dict(found)


def test_a_population_is_told_as_a_whole(run: Run) -> None:
    found = lineage_of(run)
    assert (found["arm"], found["seed"], found["best"]) == ("main", 0, [1, 12])
    assert found["range"] == [10, 70]
    assert found["stops"] == [4, 8, 12]
    assert found["keys"] == ["lr"]
    assert found["note"] == ""
    assert [each["member"] for each in found["members"]] == [0, 1, 2, 3]
    assert found["knobs"][0] == {"name": "gravity", "low": 5.0, "high": 20.0, "log": False}
    assert found["knobs"][1] == {"name": "length", "low": 0.25, "high": 2.0, "log": True}


def test_a_member_is_told_with_its_scores_and_its_exploits(run: Run) -> None:
    loser = member(lineage_of(run), 0)
    assert loser["end"] == 12
    assert loser["scores"] == [10, 45, 60]
    assert loser["copies"] == [[4, 3, 4, 40]]
    own = run.hyperparameters[run.hyperparameters["member"] == 0]
    assert loser["values"] == [[0, plain(own["number"][:1])], [4, plain(own["number"][1:])]]


def test_distributions_and_the_reasons_of_their_changes_are_told(run: Run) -> None:
    found = lineage_of(run)
    loser = member(found, 0)
    (begun, *_), own = loser["draws"], run.distributions[run.distributions["member"] == 0]
    first = own[own["revision"] == 0].set_index("knob")
    assert begun == [
        0,
        [plain(first.loc[name, ["low", "high"]]) for name in ("gravity", "length", "masspole")],
    ]
    ((iteration, by, why),) = loser["moves"]
    assert iteration == 4
    assert found["texts"][by] == "scheduler"
    assert found["texts"][why] == run.mutations["why"].iloc[0]


def test_weights_are_told_value_by_value(tmp_path: Path, begin: Begin) -> None:
    found = lineage_of(analysis.load(begin(tmp_path / "maze", space=MAZE).folder))
    names = [knob["name"] for knob in found["knobs"]]
    layout = found["knobs"][names.index("layout")]
    assert layout["values"] == ["open", "rooms", "[1,[2.5,null]]", "true", "1"]
    ((_, drawn),) = member(found, 0)["draws"]
    assert drawn[names.index("layout")] == [0.2] * 5
    assert drawn[names.index("reward")] == [1, 0, 0]
    assert drawn[names.index("size")] == [3, 3]


def test_of_cells_it_is_told_how_many_are_set(tmp_path: Path, begin: Begin) -> None:
    found = lineage_of(analysis.load(begin(tmp_path / "grid", space=GRID).folder))
    walls = next(knob for knob in found["knobs"] if knob["name"] == "walls")
    assert (walls["low"], walls["high"]) == (0, 12)


def test_without_scores_there_is_no_best(tmp_path: Path, begin: Begin) -> None:
    begun = begin(tmp_path / "begun")
    begun.train(1)
    begun.fault(2, "x" * 1000, "failed")
    found = lineage_of(analysis.load(begun.folder))
    assert (found["best"], found["range"], found["stops"]) == (None, None, [1])
    assert member(found, 0)["scores"] == [None]
    ((iteration, what),) = member(found, 2)["faults"]
    assert (iteration, what) == (1, "x" * 400 + " (failed)")
    assert size(found)


def test_of_many_changes_only_the_last_ones_are_told(tmp_path: Path, begin: Begin) -> None:
    moving = begin(tmp_path / "moving", size=2)
    for iteration in range(1, 201):
        moving.train(iteration)
        for number in (0, 1):
            moving.mutate(number, why=f"the {iteration}th")
    run = analysis.load(moving.folder)
    whole, thin = lineage_of(run), lineage_of(run, among=60)
    assert whole["note"] == ""
    assert len(member(whole, 0)["draws"]) == 201
    assert thin["note"].startswith("Of changes within ")
    assert size(thin) < 1_200_000 / 60
    for part in ("draws", "moves"):
        kept = member(thin, 0)[part]
        assert 2 < len(kept) < 200
        assert kept[-1][0] == 200, "what holds in the end is told"
    assert member(thin, 0)["draws"][0][0] == 0, "and what it began with"
    assert thin["texts"][member(thin, 0)["moves"][-1][2]] == "the 200th"


def test_one_population_is_wanted(tmp_path: Path, begin: Begin) -> None:
    with pytest.raises(ValueError, match="must name one population"):
        lineage_of(analysis.load(begin(tmp_path / "two", seeds=(0, 1)).folder))


def test_two_hundred_members_at_two_hundred_boundaries_take_less_than_two_megabytes(
    tmp_path: Path,
) -> None:
    made_journal.write(tmp_path / "journal.jsonl", members=200, boundaries=200, results=1)
    run = analysis.load(tmp_path)
    charts = of_run(run)
    tables = sum(len(chart.table.to_json()) for chart in charts)
    assert size([chart.figure for chart in charts]) + tables + size(lineage_of(run)) < 2_000_000
    for chart in charts:
        for trace in chart.figure["data"]:
            crowd = trace["name"].endswith("others") if "name" in trace else False
            assert crowd or len(trace.get("x", ())) <= 900, "at most 300 points, with gaps"
