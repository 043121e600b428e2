"""Runs are found by path, by name, by `latest` and by patterns; what is none is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from synthetic_run import SyntheticRun

import analysis
from analysis.finding import find_all
from orchestrator.journal import DamagedJournal

Begin = Callable[..., SyntheticRun]


@pytest.fixture
def runs(tmp_path: Path, begin: Begin, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of two runs, of what names the latest, and of a folder that is no run."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runs"
    for name in ("cartpole-2", "cartpole-1"):
        begin(folder / name)
    (folder / "latest").write_text("cartpole-2\n")
    (folder / "notes").mkdir()
    return folder.resolve()


def names(*given: Any) -> list[str]:
    return [run.path.name for run in analysis.load_all(*given)]


def test_a_pattern_finds_all_runs_among_its_matches_by_name(runs: Path) -> None:
    assert names("runs/*") == ["cartpole-1", "cartpole-2"]
    assert names(runs / "*") == ["cartpole-1", "cartpole-2"]
    assert names("runs/*-[12]") == ["cartpole-1", "cartpole-2"]


def test_a_pattern_may_be_of_names_under_runs(runs: Path) -> None:
    assert names("cartpole-*") == ["cartpole-1", "cartpole-2"]


def test_paths_are_found_in_their_order(runs: Path) -> None:
    assert names(["cartpole-2", runs / "cartpole-1"]) == ["cartpole-2", "cartpole-1"]
    assert names("latest") == ["cartpole-2"]


def test_patterns_and_paths_may_stand_side_by_side_and_no_run_comes_twice(runs: Path) -> None:
    assert names(["latest", "runs/*"]) == ["cartpole-2", "cartpole-1"]


def test_a_name_with_the_signs_of_a_pattern_is_a_name_where_it_is_there(
    runs: Path, begin: Begin
) -> None:
    begin(runs / "[1]")
    assert names("runs/[1]") == ["[1]"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "at least one run must be named, but got none"),
        ("runs/maze*", r"runs/maze\*: must match a run's directory, but matches nothing$"),
        ("runs/n*", r"runs/n\*: must match .*, but matches only what is none, such as runs/notes"),
        ("run/cartpole-?", r"must match .*, but matches nothing; did you mean runs/cartpole-"),
        (["runs/*", "runs/cartpole-3"], r"cartpole-3: must be .*; did you mean runs/cartpole-"),
        (["runs/notes"], r"runs/notes: a run must have a journal\.jsonl"),
    ],
)
def test_what_is_no_run_is_said(runs: Path, given: Any, said: str) -> None:
    with pytest.raises(analysis.NotARun, match=said):
        analysis.load_all(given)


def test_another_file_of_a_run_says_the_run(runs: Path) -> None:
    (runs / "cartpole-1" / "experiment.yaml").write_text("")
    with pytest.raises(analysis.NotARun, match=r"must be a run's directory, which is runs/cart"):
        analysis.load("runs/cartpole-1/experiment.yaml")


def test_a_damaged_run_among_many_is_named_with_its_line(runs: Path) -> None:
    journal = runs / "cartpole-2" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"gravity"', b'"grafity"', 1))
    with pytest.raises(DamagedJournal, match=r"cartpole-2/journal\.jsonl:1: "):
        analysis.load_all("runs/*")


def test_places_are_absolute_and_real(runs: Path) -> None:
    (runs / "link").symlink_to(runs / "cartpole-1")
    assert find_all(["runs/link", "runs/cartpole-1"]) == [runs / "cartpole-1"]
