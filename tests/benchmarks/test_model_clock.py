from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.model.clock import Clock, Gate, Step
from benchmarks.model.cores import Cores, Thread


class Log:
    """When processes have ended, by name."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.ends: list[tuple[str, float]] = []

    def run(self, name: str, *steps: Step) -> None:
        """Start a process of these steps."""

        def process() -> Iterator[Step]:
            yield from steps
            self.ends.append((name, self.clock.now))

        self.clock.start(process())


def test_steps_follow_each_other() -> None:
    clock = Clock()
    log = Log(clock)
    log.run("one", clock.sleep(2.0), clock.sleep(1.5))
    log.run("other", clock.sleep(3.0))
    clock.run()
    assert log.ends == [("other", 3.0), ("one", 3.5)]


def test_what_is_due_at_the_same_time_happens_in_the_order_it_was_planned() -> None:
    clock = Clock()
    log = Log(clock)
    for name in "abc":
        log.run(name, clock.sleep(1.0))
    clock.run()
    assert [name for name, _ in log.ends] == ["a", "b", "c"]


def test_the_clock_stops_before_what_is_due_later() -> None:
    clock = Clock()
    log = Log(clock)
    log.run("early", clock.sleep(1.0))
    log.run("late", clock.sleep(2.1))
    clock.run(until=2.0)
    assert log.ends == [("early", 1.0)]


def test_a_gate_holds_those_who_came_before_it_opened_and_those_who_come_after() -> None:
    clock = Clock()
    log, gate = Log(clock), Gate(clock)
    log.run("before", gate.passed)
    log.run("after", clock.sleep(2.0), gate.passed)
    clock.after(1.0, gate.open)
    clock.run()
    assert log.ends == [("before", 1.0)]


def test_as_many_jobs_as_cores_do_not_feel_each_other() -> None:
    clock = Clock()
    log, cores = Log(clock), Cores(clock, 2)
    log.run("short", cores.work(1.0))
    log.run("long", cores.work(3.0))
    clock.run()
    assert log.ends == [("short", 1.0), ("long", 3.0)]


def test_three_jobs_on_two_cores_by_hand() -> None:
    """Two thirds of a core each until the shortest has had its 2 s, at 3; then a core each."""
    clock = Clock()
    log, cores = Log(clock), Cores(clock, 2)
    for name, seconds in {"a": 2.0, "b": 3.0, "c": 4.0}.items():
        log.run(name, cores.work(seconds))
    clock.run()
    assert log.ends == [("a", 3.0), ("b", 4.0), ("c", 5.0)]


def test_a_job_that_comes_later_slows_the_others_from_then_on() -> None:
    """The first has had 1 s of 2 when the second comes; both go on at half speed."""
    clock = Clock()
    log, cores = Log(clock), Cores(clock, 1)
    log.run("first", cores.work(2.0))
    log.run("second", clock.sleep(1.0), cores.work(2.0))
    clock.run()
    assert log.ends == [("first", pytest.approx(3.0)), ("second", pytest.approx(4.0))]


def test_jobs_that_share_cores_take_longer_by_more_than_their_share() -> None:
    """Half a core each, at five quarters of the work, until the first is done; then as alone."""
    clock = Clock()
    log, cores = Log(clock), Cores(clock, 1, crowding=1.25)
    log.run("short", cores.work(1.0))
    log.run("long", cores.work(2.0))
    clock.run()
    assert log.ends == [("short", pytest.approx(2.5)), ("long", pytest.approx(3.5))]


def test_cores_that_were_idle_owe_nothing() -> None:
    clock = Clock()
    log, cores = Log(clock), Cores(clock, 1)
    log.run("first", cores.work(1.0), clock.sleep(5.0), cores.work(1.0))
    clock.run()
    assert log.ends == [("first", 7.0)]


def test_a_thread_takes_one_after_the_other_though_cores_are_free() -> None:
    clock = Clock()
    log, thread = Log(clock), Thread(Cores(clock, 4))
    for name in "abc":
        log.run(name, thread.work(1.0))
    log.run("later", clock.sleep(10.0), thread.work(1.0))
    clock.run()
    assert log.ends == [("a", 1.0), ("b", 2.0), ("c", 3.0), ("later", 11.0)]


def test_a_thread_shares_its_cores() -> None:
    clock = Clock()
    cores = Cores(clock, 1)
    log, thread = Log(clock), Thread(cores)
    log.run("thread", thread.work(1.0))
    log.run("other", cores.work(1.0))
    clock.run()
    assert [end for _, end in log.ends] == [2.0, 2.0]
