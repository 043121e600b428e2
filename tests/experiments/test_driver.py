"""How a run ends whose own process fails."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NoReturn

import pytest
from made_runs import loaded, made_run
from rich.console import Console

from callbacks.progress import progress_on
from experiments import driver
from experiments.loggers import member_loggers
from orchestrator.records import Fault, Record, RunEnded


def test_a_run_whose_members_are_done_but_whose_end_failed_is_not_called_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: object) -> NoReturn:
        raise RuntimeError("no test suite was played")

    monkeypatch.setattr(driver, "_train", fail)
    place = made_run(tmp_path / "run", trained=8)
    run = driver.take_up(loaded(), place, ["envolve"], [])
    assert all(run.ledger.population(state.key).done(state.member) for state in run.ledger.states())
    taken: list[Record] = []
    run.ledger.listen(taken.append)
    progress = progress_on(Console(file=io.StringIO()), run.ledger, {})
    driver._finish(run, {}, progress, member_loggers(loaded().arms, place, run.ledger))
    # Else the end of the process does.
    run.ledger._journal.close()
    fault, end = taken
    assert isinstance(fault, Fault)
    assert fault.error == "RuntimeError: no test suite was played"
    assert end == RunEnded(status="failed", time=end.time)
    assert "no test suite was played" in capsys.readouterr().err
