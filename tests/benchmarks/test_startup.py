from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from made_runs import made_run

from benchmarks.startup import first_result, python


def test_the_first_result_is_the_first_of_the_journal_whatever_comes_before(tmp_path: Path) -> None:
    path = made_run(tmp_path / "run", "finished", trained=3).journal
    written = [json.loads(line) for line in path.read_text().splitlines()]
    kinds = [record["kind"] for record in written]
    first = written[kinds.index("result")]
    assert kinds.index("result") > 0
    assert kinds.count("result") > 1
    assert first_result(path) == datetime.fromisoformat(first["time"]).timestamp()


def test_a_process_that_exits_otherwise_than_it_should_is_no_measurement() -> None:
    said = "import sys; print('why', file=sys.stderr); sys.exit(3)"
    with pytest.raises(RuntimeError, match=r"must exit with 0, but got 3: why"):
        python(["-c", said], 0)
    assert python(["-c", "print('said'); raise SystemExit(2)"], 2) == "said\n"


def test_a_contender_is_not_told_what_other_benchmarks_told_ray(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAY_prestart_worker_first_driver", "0")
    monkeypatch.setenv("TUNE_DISABLE_SIGINT_HANDLER", "1")
    monkeypatch.setenv("UNTOUCHED", "1")
    told = "import os; print(*sorted(os.environ))"
    names = python(["-c", told], 0).split()
    assert "UNTOUCHED" in names
    assert not [name for name in names if name.startswith(("RAY_", "TUNE_"))]
