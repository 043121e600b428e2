"""What is kept: whatever anybody stands on, the newest, the best."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from distribution_catalogue import seeds
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_population import (
    ARM,
    SEED,
    Killed,
    MemoryJournal,
    Run,
    apply_all,
    member_scores,
    rules,
    run_with_kills,
    saved,
    started,
    trained,
    who,
)

from orchestrator.population import Population
from orchestrator.records import CheckpointSaved, Pruned, Record, RunEnded
from orchestrator.retention import Shelf
from orchestrator.stop import Stop


def checkpoint(member: int, iteration: int, score: float | None, **changes: Any) -> CheckpointSaved:
    record = saved(member, iteration, score)[-1]
    assert isinstance(record, CheckpointSaved)
    return replace(record, **changes)


def pruned(record: CheckpointSaved) -> Pruned:
    return Pruned(
        **who(record.member, record.iteration),
        path=record.path,
        digest=record.digest,
        score=record.score,
    )


def shelf_of(*records: Record, keep_best: int = 3) -> Shelf:
    shelf = Shelf(keep_best=keep_best)
    for record in records:
        shelf.apply(record)
    return shelf


def paths(records: list[CheckpointSaved]) -> list[str]:
    return [record.path for record in records]


class Pair:
    """A population and a shelf that see the same records."""

    def __init__(self, **settings: Any) -> None:
        self.population: Population = started(rules(**{"stop": Stop(iterations=99), **settings}))
        self.shelf = Shelf()

    def take(self, *records: Record) -> None:
        apply_all(self.population, records)
        for record in records:
            self.shelf.apply(record)

    def boundary(self, iteration: int, scores: dict[int, float | None]) -> None:
        for member, score in scores.items():
            self.take(trained(member, iteration), *saved(member, iteration, score))

    def superfluous(self) -> list[str]:
        return paths(self.shelf.superfluous([self.population]))


def test_the_two_newest_are_kept() -> None:
    pair = Pair(size=1, interval=1)
    for iteration in range(1, 6):
        pair.boundary(iteration, {0: None})
    assert pair.superfluous() == ["m0/1", "m0/2", "m0/3"]
    assert paths(pair.shelf.of_member((ARM, SEED, 0))) == [f"m0/{n}" for n in (5, 4, 3, 2, 1)]


def test_the_best_is_kept() -> None:
    pair = Pair(size=1, interval=1)
    for iteration, score in enumerate([1.0, 9.0, 2.0, 3.0, 4.0], start=1):
        pair.boundary(iteration, {0: score})
    assert pair.superfluous() == ["m0/1", "m0/3"]


def test_a_score_of_none_is_nobodys_best_and_zero_is_a_score() -> None:
    shelf = shelf_of(checkpoint(0, 2, None), checkpoint(0, 4, -3.0), checkpoint(0, 6, 0.0))
    assert paths(shelf.best()) == ["m0/6", "m0/4"]


def test_a_donor_is_kept_until_its_copy_has_its_own() -> None:
    pair = Pair(size=2, interval=2)
    scores: dict[int, float | None] = {0: 1.0, 1: 50.0}
    pair.boundary(2, scores)
    pair.take(*pair.population.decide(pair.population.due()))
    copied = pair.population.members[0].restore_point
    assert copied is not None
    assert copied.path == "m1/2"
    # The donor goes on and leaves it behind; the loser never gets further.
    for iteration in (4, 6, 8):
        pair.boundary(iteration, {1: 60.0 + iteration})
        assert "m1/2" not in pair.superfluous()
    assert "m1/4" in pair.superfluous()
    pair.boundary(4, {0: 2.0})
    assert "m1/2" in pair.superfluous()


def test_a_resumed_member_finds_what_it_is_put_back_on() -> None:
    pair = Pair(size=1, interval=2)
    pair.boundary(2, {0: 1.0})
    for iteration in (3, 5, 7):
        # Saved between boundaries, by a signal: a synchronous run does not go on from there.
        pair.take(trained(0, iteration), checkpoint(0, iteration, None))
    assert "m0/2" not in pair.superfluous()


def test_of_each_population_the_best_is_kept() -> None:
    one, other = started(rules(size=1)), Population("other", SEED, rules(size=1))
    mine = [checkpoint(0, n, float(-n)) for n in range(1, 5)]
    theirs = [checkpoint(0, n, 100.0 - n, arm="other", path=f"other/m0/{n}") for n in range(1, 5)]
    shelf = shelf_of(*mine, *theirs)
    for record in (mine[-1], mine[-2]):
        one.apply(record)
    best = shelf.best_of(one)
    assert best is not None
    assert best.path == "m0/1"
    other_best = shelf.best_of(other)
    assert other_best is not None
    assert other_best.path == "other/m0/1"


def test_what_other_populations_stand_on_is_not_given_away() -> None:
    group = started(rules(size=1))
    theirs = [checkpoint(0, n, 1.0, arm="other", path=f"other/m0/{n}") for n in range(1, 9)]
    assert shelf_of(*theirs).superfluous([group]) == []
    assert shelf_of(*theirs).superfluous([]) == []


def test_the_best_of_the_run_are_ranked_and_counted() -> None:
    records = [checkpoint(m, 2, s) for m, s in enumerate([3.0, 9.0, 1.0, 7.0])]
    assert paths(shelf_of(*records).best()) == ["m1/2", "m3/2", "m0/2"]
    assert paths(shelf_of(*records, keep_best=1).best()) == ["m1/2"]
    assert shelf_of(*records, keep_best=0).best() == []


def test_the_best_outlive_their_pruning() -> None:
    records = [checkpoint(0, n, float(-n)) for n in range(1, 6)]
    shelf = shelf_of(*records, pruned(records[0]))
    assert paths(shelf.best()) == ["m0/1", "m0/2", "m0/3"]
    assert "m0/1" not in paths(shelf.of_member((ARM, SEED, 0)))


def test_equals_are_ranked_by_path() -> None:
    records = [checkpoint(m, 2, 5.0) for m in (2, 0, 1)]
    assert paths(shelf_of(*records, keep_best=2).best()) == ["m0/2", "m1/2"]


def test_what_is_pruned_is_not_superfluous_again() -> None:
    pair = Pair(size=1, interval=1)
    for iteration in range(1, 6):
        pair.boundary(iteration, {0: None})
    for record in pair.shelf.superfluous([pair.population]):
        pair.take(pruned(record))
    assert pair.superfluous() == []
    pair.take(pruned(checkpoint(0, 1, None)))
    assert pair.superfluous() == []


def test_other_records_are_nothing_to_it() -> None:
    shelf = shelf_of(RunEnded(status="finished"), trained(0, 1))
    assert shelf.best() == []
    assert shelf.best_of(started(rules())) is None


@settings(max_examples=30)
@given(
    st.integers(1, 4),
    st.sampled_from(["sync", "async"]),
    st.lists(st.integers(1, 90), max_size=4),
    seeds,
)
def test_nothing_is_pruned_that_anybody_stands_on(
    size: int, mode: str, kills: list[int], turns: int
) -> None:
    """The simulated run removes what is superfluous, and asserts this after every turn."""
    now = rules(size=size, mode=mode, stop=Stop(iterations=9))
    run = run_with_kills(now, kills, turns, faults=0.1, pauses=0.05)
    for member in range(size):
        newest = run.shelf.of_member((ARM, SEED, member))[:2]
        assert {record.path for record in newest} <= set(run.disk)
    best = run.shelf.best_of(run.population)
    assert best is None or best.path in run.disk


class Bounded(Run):
    """Looks after every turn at how much lies under members/."""

    def _turn(self) -> None:
        super()._turn()
        kept = [path for path in self.disk if self.shelf.holds(path)]
        # Stood on, put back on, the two newest; and the population's best.
        assert len(kept) <= 4 * self.rules.size + 1


@settings(max_examples=30)
@given(st.integers(1, 4), st.sampled_from(["sync", "async"]), seeds)
def test_what_is_kept_is_bounded_at_every_moment(size: int, mode: str, turns: int) -> None:
    now = rules(size=size, mode=mode, stop=Stop(iterations=15))
    journal, disk = MemoryJournal(), dict[str, str]()
    for leg in range(1000):
        try:
            Bounded(now, journal, disk, turns + leg).go(faults=0.1, pauses=0.05)
        except Killed:
            continue
        return
    raise AssertionError("the run never ended")


def test_a_lost_one_gives_way_to_the_next_best() -> None:
    records = [checkpoint(0, n, float(n)) for n in range(1, 6)]
    shelf = shelf_of(*records, pruned(records[1]), keep_best=2)
    shelf.lose(records[4])
    assert paths(shelf.best()) == ["m0/4", "m0/3"]
    best = shelf.best_of(started(rules()))
    assert best is not None
    assert best.path == "m0/4"


def test_most_of_a_run_is_pruned() -> None:
    run = Run(rules(stop=Stop(iterations=20))).go()
    assert len(run.disk) <= 2 * 4 + 1


@pytest.mark.parametrize("iteration", [2, 4])
def test_members_of_a_population_keep_their_own_newest(iteration: int) -> None:
    group, shelf = started(rules(size=2)), Shelf()
    member_scores(group, {0: 1.0, 1: 2.0}, iteration)
    for member in (0, 1):
        shelf.apply(checkpoint(member, iteration, 1.0))
    assert shelf.superfluous([group]) == []
