"""Toys and the controller that runs them in this process: what is measured is a whole run."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.controller import tuner
from benchmarks.controller.contenders import (
    INTERVAL,
    JOURNAL,
    Size,
    fifo,
    fifo_of_seats,
    ours,
)
from benchmarks.controller.measured import Make, Stopwatch, in_process, run
from benchmarks.controller.toy import Toy
from orchestrator import checkpoints, journal, records
from orchestrator.trial import BECOME, DISTRIBUTION, READY

STATE = {"arm": "main", "seed": 0, "member": 3, "iteration": 0, "revision": 0}


def toy(run_dir: Path, **changes: Any) -> Toy:
    return Toy({**STATE, **changes}, run_dir, interval=2, last=5)


def recorded(run_dir: Path, size: Size) -> list[records.Record]:
    """The journal of a whole run."""
    with ours(run_dir, size) as contender:
        run(in_process(contender, run_dir, size))
    return journal.read(run_dir / JOURNAL)


def test_a_toy_greets_before_it_trains(tmp_path: Path) -> None:
    each = toy(tmp_path, iteration=2)
    greeting, first = each.step(), each.step()
    assert (greeting[READY], greeting["training_iteration"]) == (True, 2)
    assert READY not in first
    assert first["training_iteration"] == 3


def test_a_toy_is_scored_at_boundaries_and_at_its_end(tmp_path: Path) -> None:
    each = toy(tmp_path)
    each.step()
    scored = [r["training_iteration"] for r in (each.step() for _ in range(5)) if "score" in r]
    assert scored == [2, 4, 5]


def test_the_checkpoint_of_a_toy_is_whole(tmp_path: Path) -> None:
    each = toy(tmp_path, iteration=1)
    each.step()
    result = each.step()
    checkpoints.verify(tmp_path / result["checkpoint"], result["digest"])


def test_toys_of_the_same_member_report_the_same(tmp_path: Path) -> None:
    one, other = toy(tmp_path), toy(tmp_path, iteration=1)
    one.step(), one.step(), other.step()
    assert one.step() == other.step()


def test_a_toy_says_which_directive_it_has_carried_out(tmp_path: Path) -> None:
    each = toy(tmp_path)
    each.step()
    each.direct({"id": 7, "kind": DISTRIBUTION, "state": {**STATE, "revision": 4}})
    result = each.step()
    assert (result["directive"], result["revision"], result["member"]) == (7, 4, 3)
    each.direct({"id": 8, "kind": BECOME, "state": {**STATE, "member": 1, "iteration": 6}})
    result = each.step()
    assert (result["directive"], result["member"], result["training_iteration"]) == (8, 1, 7)


@pytest.mark.parametrize("size", [Size(4, 4, 15), Size(5, 2, 15)], ids=str)
def test_every_member_trains_to_its_end(ray_runtime: None, tmp_path: Path, size: Size) -> None:
    found = recorded(tmp_path, size)
    assert not [record for record in found if isinstance(record, records.Fault)]
    results = Counter(r.member for r in found if isinstance(r, records.Result))
    assert results == dict.fromkeys(range(size.members), size.results)
    decided = sum(len(r.members) for r in found if isinstance(r, records.Boundary))
    assert decided == size.decisions == size.members * math.ceil(size.results / INTERVAL - 1)
    assert [record for record in found if isinstance(record, records.Exploit)]


def test_what_is_run_twice_is_decided_alike(ray_runtime: None, tmp_path: Path) -> None:
    size = Size(4, 4, 15)
    decided = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        found = recorded(tmp_path / name, size)
        decided.append([{**records.to_json(record), "time": ""} for record in found])
    assert decided[0] == decided[1]


@pytest.mark.parametrize(
    ("make", "size"), [(fifo, Size(4, 4, 15)), (fifo_of_seats, Size(4, 2, 15))]
)
def test_fifo_reports_as_often(ray_runtime: None, tmp_path: Path, make: Make, size: Size) -> None:
    with make(tmp_path, size) as contender:
        controller = in_process(contender, tmp_path, size)
        run(controller)
    # Each trial's first one is its handshake.
    assert controller.results == size.members * size.results + size.seats


def test_trials_that_share_seats_are_refused_in_this_process(tmp_path: Path) -> None:
    size = Size(4, 2, 15)
    with (
        fifo(tmp_path, size) as contender,
        pytest.raises(ValueError, match="every trial must have a seat, but 4 share 2"),
    ):
        in_process(contender, tmp_path, size)


@pytest.mark.parametrize("make", [ours, fifo, fifo_of_seats])
def test_all_are_measured_over_as_many_results(ray_runtime: None, make: Make) -> None:
    """Otherwise it raises; FIFO's trials come one after another in the same processes."""
    assert tuner.rate(make, Size(4, 2, 15)) > 0.0


def test_a_method_that_another_one_calls_counts_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 1.0, 4.0, 6.0])
    monkeypatch.setattr("time.perf_counter", lambda: next(moments))

    class Two:
        def outer(self) -> None:
            self.inner()

        def inner(self) -> None:
            pass

    two, watch = Two(), Stopwatch()
    watch.watch(two, "outer", "outer")
    watch.watch(two, "inner", "inner")
    two.outer()
    assert watch.seconds == {"outer": 3.0, "inner": 3.0}
