"""The journals that loading is measured with are such as a run leaves behind."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import analysis
from benchmarks import loading
from benchmarks.made_journal import write
from orchestrator import journal


def test_a_made_journal_has_what_a_run_writes(tmp_path: Path) -> None:
    write(tmp_path / "journal.jsonl", members=8, boundaries=3, results=2)
    records = journal.read(tmp_path / "journal.jsonl")
    assert Counter(record.kind for record in records) == {
        "run": 1, "member": 8, "result": 8 * 6, "score": 8 * 3, "checkpoint": 8 * 3,
        "prune": 8 * 2, "exploit": 2 * 3, "mutation": 2 * 3, "boundary": 3, "end": 1,
    }  # fmt: skip
    run = analysis.load(tmp_path)
    assert run.status == "finished"
    assert len(run.scores) == 8 * 3 * 16
    assert run.checkpoints["pruned"].sum() == 8 * 2
    assert run.lineage["donor_score"].notna().all()
    assert (run.lineage["donor_iteration"] == run.lineage["iteration"]).all()


def test_a_new_process_says_what_it_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_MEMBERS", (4,))
    monkeypatch.setattr(loading, "_RESULTS", (1,))
    monkeypatch.setattr(loading, "_BOUNDARIES", 2)
    monkeypatch.setattr(loading, "_REPEATS", 1)
    took, peak = loading.measure()
    assert (took.unit, peak.unit) == ("s", "MiB")
    assert 0.0 < took.median < 10.0
    assert 50.0 < peak.median < 1000.0
