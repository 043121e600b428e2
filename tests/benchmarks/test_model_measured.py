from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.curricula.tables import write_csv
from benchmarks.model import kept_costs
from benchmarks.model.checked import Checked, line, predicted
from benchmarks.model.costs import Costs, Timing
from benchmarks.model.measured import copying, costs_of, timing
from benchmarks.model.simulated import Outcome
from benchmarks.model.watched import Look, Watched
from orchestrator.records import Boundary, Exploit, MemberStarted, Record, Result, RunStarted

BEGAN = 1_000_000.0


def at(seconds: float) -> str:
    """A record's time, so many seconds after the command."""
    return str(np.datetime64(round((BEGAN + seconds) * 1000), "ms")) + "+00:00"


def member(number: int) -> MemberStarted:
    return MemberStarted("main", 0, number, 0, {}, {}, "test", time=at(1.0))


def result(number: int, iteration: int, ended: float, **seconds: float) -> Result:
    return Result("main", 0, number, iteration, None, 0, {}, seconds, time=at(ended))


def exploit(number: int, donor: int, when: float) -> Exploit:
    return Exploit("main", 0, number, 2, donor, "", "", "", {}, {}, time=at(when))


def boundary(when: float, *members: int) -> Boundary:
    return Boundary("main", 0, 2, members, (), time=at(when))


def watched(records: Sequence[Record], seconds: float, own: float, cores: int = 2) -> Watched:
    """A run that takes ``own`` cores, its driver a hundredth, and others a tenth of the machine.

    It is looked at once more when its processes are gone.
    """
    looks = [
        Look(BEGAN + t, driver=0.01 * t, run=own * t, machine=(own + 0.1 * cores) * t)
        for t in (0.0, seconds)
    ]
    looks.append(replace(looks[-1], run=0.0))
    return Watched(records, BEGAN, BEGAN + seconds, looks, cores)


def started() -> RunStarted:
    arm = {
        "population": {"mode": "sync", "interval": 2},
        "stop": {"iterations": 6},
        "resources": {"max_resident": None},
    }
    return RunStarted("made", "", {"main": arm}, {}, (), time=at(0.5))


def pair() -> Iterator[Record]:
    """Two members with a core each: two iterations of 1 s, a boundary, and one more iteration.

    Member 0 copies member 1, which takes it 0.05 s. Between iterations lie 0.02 s.
    """
    yield from (started(), member(0), member(1))
    yield result(0, 1, 11.0, train=1.0)
    yield result(1, 1, 11.0, train=1.0)
    yield result(0, 2, 12.32, train=1.0, score=0.25, save=0.05)
    yield result(1, 2, 12.32, train=1.0, score=0.25, save=0.05)
    yield exploit(0, 1, 12.4)
    yield boundary(12.4, 0, 1)
    yield result(0, 3, 13.47, train=1.0)
    yield result(1, 3, 13.42, train=1.0)


def many() -> Iterator[Record]:
    """Four members on two cores, which began to train at 16 s."""
    yield started()
    for number in range(4):
        yield member(number)
    for number in range(4):
        yield result(number, 1, 18.0, train=2.0)


ALONE = watched([*pair()], 15.42, own=1.0)
SHARING = watched([*many()], 20.0, own=1.375)


def test_a_run_says_when_training_began_and_ended() -> None:
    assert ALONE.members == 2
    assert ALONE.begun == pytest.approx(10.0)
    assert ALONE.trained == pytest.approx(13.42)
    assert ALONE.seconds == pytest.approx(15.42)


def test_gaps_begin_where_a_member_was_decided_about() -> None:
    found = [(round(gap.seconds, 3), gap.at_boundary, gap.copied) for gap in ALONE.gaps()]
    assert found == [
        (0.02, False, False), (0.02, False, False), (0.07, True, True), (0.02, True, False),
    ]  # fmt: skip


def test_the_driver_and_others_are_seen_by_looks() -> None:
    # From the first to the last result 2.42 s, five results on.
    assert ALONE.handling == pytest.approx(0.01 * 2.42 / 5)
    assert ALONE.others == pytest.approx(0.1)


def test_costs_by_hand() -> None:
    costs = costs_of([ALONE, SHARING])
    # Used by then: 1.0 x 10 of two processes and 1.375 x 16 of four, so 6 by each.
    assert (costs.launch, costs.start) == (pytest.approx(4.0), pytest.approx(6.0))
    assert costs.train.mean == pytest.approx(1.0)
    assert costs.train.jitter == pytest.approx(0.0)
    assert (costs.score.mean, costs.save.mean) == (pytest.approx(0.25), pytest.approx(0.05))
    assert costs.handle == pytest.approx(0.01 * 2.42 / 5)
    assert costs.turn == pytest.approx(0.02 - costs.handle, abs=1e-3)
    assert costs.become == pytest.approx(0.05, abs=1e-3)
    # Two seconds after the last result, both times.
    assert costs.finish == pytest.approx(2.0)
    # Two members a core took twice as long, and no longer.
    assert costs.crowding == pytest.approx(1.0)


def test_what_sharing_costs_beside_the_sharing() -> None:
    slower = [result(n, 1, 19.0, train=2.5) for n in range(4)]
    members = [member(number) for number in range(4)]
    run = watched([started(), *members, *slower], 20.0, own=1.375)
    assert costs_of([ALONE, run]).crowding == pytest.approx(1.25)


def test_costs_take_runs_of_different_sizes_one_of_which_shares_no_cores() -> None:
    for runs in ([ALONE, ALONE], [SHARING]):
        with pytest.raises(ValueError, match="different sizes, one of them with a core"):
            costs_of(runs)


def test_a_timing_keeps_the_mean_and_the_deviation_of_logarithms() -> None:
    found = timing([1.0, math.e**2])
    assert found.mean == pytest.approx((1 + math.e**2) / 2)
    assert found.jitter == pytest.approx(1.0)


def test_the_share_that_copied() -> None:
    assert copying(ALONE) == pytest.approx(0.5)
    assert copying(SHARING) == 0.0


def test_kept_costs_are_read_as_they_were_written(tmp_path: Path) -> None:
    costs = Costs(3.5, 7.25, Timing(0.3, 0.1), Timing(0.2), Timing(0.05, 0.4), 0.01, 0.002, 0.1, 2)
    write_csv(tmp_path / "costs.csv", [*kept_costs.lines(costs)], {"date": "today"})
    assert kept_costs.read(tmp_path / "costs.csv") == costs


def test_a_run_is_predicted_by_its_own_file() -> None:
    """Four members on two cores, 6 iterations with boundaries at 2, 4 and the end."""
    costs = Costs(4.0, 6.0, train=Timing(1.0), score=Timing(0.5), finish=2.0)
    by_hand = 4.0 + 2 * (6.0 + 6 * 1.0 + 3 * 0.5) + 2.0
    for outcome in predicted(SHARING, costs):
        assert outcome.ended == pytest.approx(by_hand)


@pytest.mark.parametrize(("model", "off", "met"), [(17.0, "+10.2%", "yes"), (12.0, "-22.2%", "no")])
def test_a_line_says_how_far_the_model_was_off(model: float, off: str, met: str) -> None:
    outcome = Outcome(begun=4.0, trained=model - 2.0, ended=model)
    found = line(Checked(ALONE, [outcome]))
    assert (found["whole: off by"], found["whole: met"]) == (off, met)
    assert found["training: measured s"] == "3.4"
    assert found["taken by others"] == "10%"
