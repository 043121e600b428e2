"""Who is best and how its envs evolved, which checkpoints were kept, and the experiment file."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from analysis import load
from analysis.report.facts import Bar, best, experiment_text, kept
from orchestrator import checkpoints
from orchestrator.env_space import EnvSpace
from orchestrator.journal import Journal
from orchestrator.knobs import Cells, Choice, Continuous, Integer, Range
from orchestrator.records import CheckpointSaved
from tests.analysis.report.recorded import record

SPACE = EnvSpace(
    {"gravity": Continuous(5.0, 20.0), "length": Continuous(0.25, 4.0, "log")},
    start={"gravity": Range(5.0, 12.5), "length": Range(1.0, 1.0)},
)


def test_the_best_is_who_played_the_test_suite(tmp_path: Path) -> None:
    run = record(tmp_path / "run")
    found = best(run)
    assert found is not None
    tested = run.scores[run.scores["suite"] == "test"]
    assert (found.member, found.iteration) == (tested["member"].iloc[0], 12)
    assert found.test == tested["score"].iloc[0]
    assert found.returns == tuple(tested["return"])
    assert found.score == run.scores.loc[run.scores["suite"] == "select", "score"].max()


def test_without_a_test_suite_the_best_has_the_highest_score(tmp_path: Path) -> None:
    run = record(tmp_path / "run", tested=False)
    found = best(run)
    assert found is not None
    top = run.scores.loc[run.scores["score"].idxmax()]
    assert (found.member, found.iteration, found.test) == (top["member"], 12, None)
    assert len(found.returns) == 8


def test_nobody_is_best_before_there_are_scores(tmp_path: Path) -> None:
    assert best(record(tmp_path / "run", scored=False, tested=False)) is None


def test_changes_go_from_the_start_to_what_the_best_trained_on(tmp_path: Path) -> None:
    run = record(tmp_path / "run", space=SPACE, size=1)
    found = best(run)
    assert found is not None
    gravity, length = found.changes
    assert (gravity.knob, gravity.legal, gravity.start, gravity.now) == (
        "gravity", "5…20", "5…12.5", "5…12.5",
    )  # fmt: skip
    assert gravity.bars == (Bar(0.0, 0.5), Bar(0.0, 0.5))
    # Half way on a scale of logarithms.
    assert length.bars == (Bar(0.5, 0.5), Bar(0.5, 0.5))


def test_what_is_decided_at_the_end_is_not_what_the_best_trained_on(tmp_path: Path) -> None:
    run = record(tmp_path / "run", space=SPACE, boundaries=1)
    worst = int(run.lineage["member"].iloc[0])
    drawn = run.distributions[run.distributions["member"] == worst]
    assert drawn["low"].nunique() > 2
    found = best(run)
    assert found is not None
    assert [change.now for change in found.changes] == [change.start for change in found.changes]


def test_knobs_of_every_kind_have_changes(tmp_path: Path) -> None:
    space = EnvSpace(
        {"size": Integer(2, 8), "layout": Choice(("open", 1)), "walls": Cells(9, 0, 4)}
    )
    found = best(record(tmp_path / "run", space=space, size=1))
    assert found is not None
    said = {change.knob: (change.legal, change.start) for change in found.changes}
    assert said == {
        "layout": ("open · 1", "open 50% · 1 50%"),
        "size": ("2…8", "2…8"),
        "walls": ("0…4", "0…4"),
    }
    assert [change.bars for change in found.changes] == [
        None,
        (Bar(0, 1), Bar(0, 1)),
        (Bar(0, 1), Bar(0, 1)),
    ]


def test_kept_checkpoints_are_compared_with_the_journal(tmp_path: Path) -> None:
    run = record(tmp_path / "run")
    saved = []
    for iteration in (16, 20):
        fill = lambda folder: (folder / "weights").write_text("w")  # noqa: E731
        facts = {"iteration": iteration}
        place, digest = checkpoints.write(run.path / "best" / f"m0-{iteration}", fill, facts)
        place.rename(run.path / "best" / f"m0-{iteration}-{digest[:8]}")
        who = {"arm": "main", "seed": 0, "member": 0, "iteration": iteration}
        saved.append(CheckpointSaved(**who, path=f"m/{iteration}", digest=digest, score=iteration))
    (run.path / "best" / "somebody's").mkdir()
    with Journal(run.path / "journal.jsonl") as journal:
        journal.append(*saved)
    damaged = run.path / "best" / f"m0-16-{saved[0].digest[:8]}" / "weights"
    damaged.write_text("other")
    found = kept(load(run.path))
    assert [(each.iteration, each.score, each.whole) for each in found] == [
        (20, 20.0, True),
        (16, 16.0, False),
    ]
    assert found[0].place == f"best/m0-20-{saved[1].digest[:8]}"


def test_without_its_file_the_experiment_is_what_the_journal_says(tmp_path: Path) -> None:
    run = record(tmp_path / "run")
    assert experiment_text(run) == (run.path / "experiment.yaml").read_text()
    (run.path / "experiment.yaml").unlink()
    text = experiment_text(run)
    assert text.startswith("# There is no such file")
    assert yaml.safe_load(text) == json.loads(json.dumps(run.arms, default=dict))
