"""A row for each member: where it stands, and whether anyone trains it."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.report.members import members
from orchestrator.records import Fault
from tests.analysis.report.recorded import INTERVAL, record


def test_every_member_has_a_row_with_its_last_numbers(tmp_path: Path) -> None:
    run = record(tmp_path / "run", size=4, boundaries=3)
    rows = list(members(run))
    assert [row.member for row in rows] == [0, 1, 2, 3]
    assert {(row.iteration, row.env_steps, row.status) for row in rows} == {
        (12, 12_000, "finished")
    }
    played = run.scores[(run.scores["iteration"] == 12) & (run.scores["suite"] == "select")]
    assert {row.member: row.score for row in rows} == played.groupby("member")[
        "score"
    ].first().to_dict()
    assert [row.member for row in rows if row.test is not None] == [
        run.scores.loc[run.scores["suite"] == "test", "member"].iloc[0]
    ]
    assert sum(row.copied for row in rows) == sum(row.revision for row in rows) == 3
    copied = next(row for row in rows if row.copied)
    assert set(copied.environments) == {"gravity", "length"}
    assert list(copied.hyperparameters) == ["lr"]


def given_up(member: int, iteration: int) -> Fault:
    return Fault("main", 0, member, iteration, where="member", error="boom", action="failed")


@pytest.mark.parametrize(
    ("status", "said"),
    [("finished", "finished"), ("stopped", "unfinished"), (None, "unfinished")],
)
def test_members_of_a_run_that_did_not_end_are_unfinished(
    tmp_path: Path, status: str | None, said: str
) -> None:
    run = record(tmp_path / "run", boundaries=1, status=status)
    # It should have trained twice as long.
    run.arms["main"]["stop"]["iterations"] = 2 * INTERVAL
    assert {row.status for row in members(run)} == {said}


def test_a_member_that_is_done_is_finished_even_where_the_run_was_killed(tmp_path: Path) -> None:
    run = record(tmp_path / "run", status=None)
    assert {row.status for row in members(run)} == {"finished"}


def test_a_member_that_was_given_up_has_failed_unless_it_has_trained_since(tmp_path: Path) -> None:
    faults = [given_up(0, 3 * INTERVAL), given_up(1, INTERVAL)]
    run = record(tmp_path / "run", status="failed", faults=faults)
    rows = list(members(run))
    assert [row.status for row in rows] == ["failed", "finished", "finished", "finished"]
    assert [row.faults for row in rows] == [1, 1, 0, 0]


def test_members_that_have_not_trained_have_rows_too(tmp_path: Path) -> None:
    run = record(tmp_path / "run", boundaries=0, scored=False, tested=False, status=None)
    run.arms["main"]["stop"]["iterations"] = INTERVAL
    rows = list(members(run))
    assert [(row.iteration, row.score, row.test, row.status) for row in rows] == [
        (0, None, None, "unfinished")
    ] * 4
