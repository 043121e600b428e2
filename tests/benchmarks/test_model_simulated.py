from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.model.costs import Costs, Lifetime, Timing, mortal, slowness
from benchmarks.model.simulated import Cluster, Plan, simulate

COSTS = Costs(train=Timing(1.0), score=Timing(0.5), save=Timing(0.25))
"""No jitter, and nothing but the work itself."""

MODES = ("sync", "async")


def plan(members: int, mode: str = "sync", **others: object) -> Plan:
    given = {"slowness": (1.0,) * members, "interval": 4, "iterations": 8, "copying": 0.0}
    return Plan(mode=mode, **{**given, **others})  # type: ignore[arg-type]


def lives(*seconds: float) -> Lifetime:
    """Processes that live so long, in the order they are started; all later ones for ever."""
    given = iter(seconds)
    return lambda rng: next(given, np.inf)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("members", [1, 2, 4])
def test_without_variance_a_run_takes_its_iterations_and_its_boundaries(
    mode: str, members: int
) -> None:
    """8 iterations of 1 s, 2 boundaries of 0.75 s, a core for each member."""
    found = simulate(plan(members, mode), COSTS, Cluster(1, members), seed=0)
    assert found.ended == pytest.approx(8 * 1.0 + 2 * 0.75)
    assert found.training == pytest.approx(members * 8.0)
    assert found.efficiency(members) == pytest.approx(8.0 / 9.5)


def test_every_cost_is_paid_where_it_arises() -> None:
    """One member: launch 3, start 5, a handshake and 8 results of 0.1, 8 turns of 0.01, a copy
    after the first of the two boundaries (0.2; at the end nobody copies), finish 2.
    """
    costs = replace(COSTS, launch=3.0, start=5.0, turn=0.01, handle=0.1, become=0.2, finish=2.0)
    found = simulate(plan(1, copying=1.0), costs, Cluster(1, 1), seed=0)
    assert found.begun == pytest.approx(3.0 + 5.0 + 0.1)
    assert found.trained == pytest.approx(found.begun + 9.5 + 8 * 0.11 + 0.2)
    assert found.ended == pytest.approx(found.trained + 2.0)


@pytest.mark.parametrize("mode", MODES)
def test_members_that_share_cores_take_as_many_times_as_long(mode: str) -> None:
    costs = replace(COSTS, start=5.0)
    found = simulate(plan(6, mode), costs, Cluster(1, 2), seed=0)
    assert found.begun == pytest.approx(5.0 * 6 / 2)
    assert found.ended == pytest.approx((5.0 + 9.5) * 6 / 2)
    assert found.efficiency(2) == pytest.approx(8.0 / 9.5)


def test_members_are_dealt_out_to_the_machines() -> None:
    """Four on two machines of one core: two share each."""
    found = simulate(plan(4), COSTS, Cluster(2, 1), seed=0)
    assert found.ended == pytest.approx(2 * 9.5)


def test_one_straggler_delays_all_in_sync_and_only_itself_in_async() -> None:
    """Up to 15 s the straggler (2 x 4.5 + 0.25 s an interval) has ended one interval only.

    The others take 4.75 s an interval: in sync they have ended the second when it ends the
    first, at 9.25, and wait again from 14 s on; in async they have done 3 intervals by 14.25.
    """
    slow = (1.0, 1.0, 2.0)
    ends = {
        mode: simulate(
            plan(3, mode, slowness=slow, iterations=100), COSTS, Cluster(1, 3), seed=0, until=15.0
        )
        for mode in MODES
    }
    assert ends["sync"].iterations == (8, 8, 6)
    assert ends["async"].iterations == (12, 12, 6)
    assert ends["sync"].decided == (1, 1, 1)
    assert ends["async"].decided == (3, 3, 1)


def test_in_sync_every_interval_takes_as_long_as_the_slowest_of_it() -> None:
    found = simulate(plan(3, slowness=(1.0, 1.0, 2.0)), COSTS, Cluster(1, 3), seed=0)
    assert found.ended == pytest.approx(2 * (2 * 4.5 + 0.25))


def test_a_failure_sends_a_member_back_to_its_last_boundary() -> None:
    """It dies after 6.25 s of work: past its boundary (4.75), half way through iteration 6.

    1.5 s are lost; it starts anew (5 s), and does iterations 5 to 8 once more.
    """
    costs = replace(COSTS, start=5.0)
    cluster = Cluster(1, 1, lives(6.25))
    found = simulate(plan(1), costs, cluster, seed=0)
    assert found.failures == 1
    assert found.lost == pytest.approx(1.5)
    assert found.training == pytest.approx(8.0)
    assert found.ended == pytest.approx(5.0 + 6.25 + 5.0 + 4.75)


def test_a_failure_holds_up_all_in_sync_and_only_its_member_in_async() -> None:
    """The first of two dies 1 s before its first boundary, and starts anew in 5 s."""
    costs = replace(COSTS, start=5.0)
    decided = {}
    for mode in MODES:
        long = plan(2, mode, iterations=100)
        # The boundary is reached at 9.75, or by the one that died at 5 + 3.75 + 5 + 4.75 = 18.5.
        decided[mode] = [
            simulate(long, costs, Cluster(1, 2, lives(3.75)), 0, until=until).decided
            for until in (10.0, 18.0, 19.0)
        ]
    assert decided["sync"] == [(0, 0), (0, 0), (1, 1)]
    assert decided["async"] == [(0, 1), (0, 2), (1, 2)]


def test_members_without_a_seat_take_turns_at_boundaries() -> None:
    """Four in two seats with a core each: two rounds for each interval, copies for each change.

    Seats change hands after an interval of the first two, but not at a boundary that is decided
    at the end of the second round's: two changes an interval, in both seats at the same time.
    """
    costs = replace(COSTS, become=0.1)
    found = simulate(plan(4, seats=2), costs, Cluster(1, 2), seed=0)
    assert found.iterations == (8, 8, 8, 8)
    # Round by round: 0 1 | 2 3 (change) | 2 3 stay, then | 0 1 (change).
    assert found.ended == pytest.approx(4 * 4.75 + 2 * 0.1)


def test_no_member_without_a_seat_is_left_behind_in_async() -> None:
    found = simulate(plan(6, "async", seats=2, iterations=40), COSTS, Cluster(1, 2), 0, until=100.0)
    assert max(found.iterations) - min(found.iterations) <= 4


def test_the_driver_is_a_bottleneck_once_results_come_faster_than_it_handles_them() -> None:
    """100 results a second are wanted, 10 are handled: 800, and 100 greetings, of 0.1 s each."""
    costs = replace(COSTS, handle=0.1)
    found = simulate(plan(100, interval=8), costs, Cluster(1, 101), seed=0)
    assert found.ended == pytest.approx(900 * 0.1)
    assert found.efficiency(100) < 0.15


def test_both_modes_meet_with_the_same_iterations() -> None:
    costs = replace(COSTS, train=Timing(1.0, 0.5))
    trained = [simulate(plan(5, mode), costs, Cluster(1, 5), seed=3).training for mode in MODES]
    assert trained[0] == pytest.approx(trained[1])


@settings(max_examples=60, deadline=None)
@given(
    members=st.integers(1, 7),
    seats=st.integers(1, 7),
    cores=st.integers(1, 4),
    interval=st.integers(1, 5),
    iterations=st.integers(1, 11),
    mode=st.sampled_from(MODES),
    failures=st.sampled_from([0.0, 100.0]),
    seed=st.integers(0, 99),
)
def test_every_run_comes_to_its_end_and_no_core_does_more_than_it_can(
    members: int,
    seats: int,
    cores: int,
    interval: int,
    iterations: int,
    mode: str,
    failures: float,
    seed: int,
) -> None:
    given = plan(members, mode, seats=seats, interval=interval, iterations=iterations, copying=0.5)
    jittery = replace(COSTS, train=Timing(1.0, 0.4), start=0.5, turn=0.01, handle=0.01, become=0.1)
    found = simulate(given, jittery, Cluster(1, cores, mortal(failures)), seed)
    assert found.iterations == (iterations,) * members
    # A boundary at the very end is none: there is nobody left to decide about.
    assert set(found.decided) == {(iterations - 1) // interval}
    assert 0 < found.efficiency(cores) <= 1
    assert (found.training + found.lost) / cores <= found.trained


def test_slowness_has_mean_one_whatever_its_spread() -> None:
    drawn = slowness(200_000, 0.3, np.random.default_rng(0))
    assert np.mean(drawn) == pytest.approx(1.0, abs=0.005)
    assert np.std(np.log(drawn)) == pytest.approx(0.3, abs=0.005)
    assert slowness(3, 0.0, np.random.default_rng(0)) == (1.0, 1.0, 1.0)


def test_a_timing_without_jitter_is_its_mean() -> None:
    rng = np.random.default_rng(0)
    assert [Timing(2.5).draw(rng) for _ in range(3)] == [2.5] * 3


def test_processes_die_as_often_as_said() -> None:
    rng = np.random.default_rng(0)
    lifetimes: Sequence[float] = [mortal(4.0)(rng) for _ in range(20_000)]
    assert np.mean(lifetimes) == pytest.approx(900.0, rel=0.03)
    assert mortal(0.0)(rng) == np.inf
