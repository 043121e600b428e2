"""What is kept up to date member by member says what a look at all members would find."""

from __future__ import annotations

from typing import Any

import pytest
from distribution_catalogue import CARTPOLE
from simulated_population import Own, Run, rules, run_with_kills

from orchestrator import decisions, seeding
from orchestrator.curricula import PopulationRegret
from orchestrator.exploit import Tournament
from orchestrator.population import Population
from orchestrator.records import CheckpointSaved, Pruned
from orchestrator.retention import Shelf
from orchestrator.stop import Stop
from orchestrator.turnout import Turnout

LEVELS = tuple(CARTPOLE.full().sample(seeding.generator("levels", n)) for n in range(3))
SETTINGS: dict[str, dict[str, Any]] = {
    "sync": {},
    "async": {"mode": "async", "exploit": Tournament()},
    "with a reference": {"size": 5, "reference": 4},
    "ends by score": {"stop": Stop(iterations=12, score=95.0)},
    "own curricula": {"curriculum": Own()},
    "regret": {"size": 5, "curriculum": PopulationRegret(), "select": LEVELS},
}


def due(population: Population) -> list[int]:
    """By a look at all members."""
    waiting = [member for member in population.live() if population.waiting(member)]
    if population.rules.mode == "async" or not waiting:
        return waiting
    boundary = min(population.members[member].iteration for member in waiting)
    for member in population.live():
        if member not in waiting and population.members[member].decided_at < boundary:
            return []
    return [member for member in waiting if population.members[member].iteration == boundary]


def superfluous(run: Run) -> list[str]:
    """By a look at all checkpoints that are there."""
    there: dict[str, CheckpointSaved] = {}
    for record in run.journal.records:
        if isinstance(record, CheckpointSaved):
            there[record.path] = record
        elif isinstance(record, Pruned):
            there.pop(record.path, None)
    kept = {point.path for point in run.population.restore_points()}
    scored = [record for record in there.values() if record.score is not None]
    kept |= {r.path for r in sorted(scored, key=lambda r: (-(r.score or 0.0), r.path))[:1]}
    for member in run.population.members:
        own = [record for record in there.values() if record.member == member]
        kept |= {r.path for r in sorted(own, key=lambda r: -r.iteration)[:2]}
    return [path for path in there if path not in kept]


class Compared(Run):
    """Looks at everything before each turn."""

    turns = 0

    def _turn(self) -> None:
        population = self.population
        assert population.due() == due(population)
        everybody = decisions.moves(population, sorted(population.members))
        assert population.moves() == everybody == population.moves()
        found = [record.path for record in self.shelf.superfluous([population])]
        assert found == superfluous(self)
        assert [record.path for record in self.shelf.superfluous([population])] == found
        type(self).turns += 1
        super()._turn()

    def _returns(self, weights: str, score: float | None) -> tuple[float | None, ...]:
        rng = seeding.generator(weights)
        return (score, *(float(value) for value in rng.uniform(0.0, 100.0, 2)))


@pytest.mark.parametrize("name", SETTINGS)
def test_nothing_is_overlooked_whatever_fails_and_wherever_it_is_killed(name: str) -> None:
    now = rules(**{"stop": Stop(iterations=12), **SETTINGS[name]})
    before = Compared.turns
    for turns in range(4):
        kills = [11 + turns, 30, 47 + turns]
        run_with_kills(now, kills, turns, Compared, faults=0.05, give_up=0.01, pauses=0.02)
    assert Compared.turns - before > 100


def test_a_fresh_shelf_that_reads_the_journal_finds_the_same_superfluous() -> None:
    run = Run(rules()).go()
    shelf = Shelf(keep_best=2)
    for record in run.journal.records:
        if not isinstance(record, Pruned):
            shelf.apply(record)
    pruned = {record.path for record in run.journal.records if isinstance(record, Pruned)}
    assert {record.path for record in shelf.superfluous([run.population])} == pruned


def test_nobody_is_complete_before_somebody_waits() -> None:
    turnout = Turnout()
    turnout.trains(0, 0)
    assert turnout.complete() == turnout.waiting() == []


def test_those_that_wait_are_complete_once_nobody_is_on_the_way() -> None:
    turnout = Turnout()
    turnout.trains(0, 0)
    turnout.trains(1, 0)
    turnout.waits(1, 4)
    assert turnout.complete() == []
    turnout.waits(0, 4)
    assert turnout.complete() == [0, 1]


def test_the_earliest_boundary_comes_first() -> None:
    turnout = Turnout()
    turnout.waits(0, 8)
    turnout.waits(1, 4)
    assert turnout.complete() == [1]
    turnout.trains(1, 4)
    assert turnout.complete() == []
    turnout.waits(1, 8)
    assert turnout.complete() == [0, 1]


def test_who_has_nothing_left_to_do_is_not_waited_for() -> None:
    turnout = Turnout()
    turnout.trains(0, 0)
    turnout.waits(1, 4)
    turnout.leaves(0)
    assert turnout.complete() == [1]
    turnout.leaves(1)
    assert turnout.complete() == turnout.waiting() == []
