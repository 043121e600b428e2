"""Who gets the next seat, where members take turns."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from simulated_population import ARM, SEED, apply_all, member_scores, rules, started, trained

from orchestrator.population import Population
from orchestrator.seats import Seats
from orchestrator.standby import Standby
from orchestrator.stop import Stop


def trial(name: str) -> Any:
    return SimpleNamespace(trial_id=name)


class Taken:
    """A population of four, two of whom have a seat."""

    def __init__(self) -> None:
        self.population: Population = started(rules(stop=Stop(iterations=6)))
        self.seats = Seats()
        self.trials = [trial("a"), trial("b")]
        for member, each in enumerate(self.trials):
            self.seats.sit(each, self.key(member))
        self.standby = Standby(self.population, self.seats)

    def key(self, member: int) -> tuple[str, int, int]:
        return (ARM, SEED, member)

    def first(self) -> int | None:
        state = self.standby.first()
        return None if state is None else state.member


@pytest.fixture
def taken() -> Taken:
    return Taken()


def test_the_lowest_number_without_a_seat_comes_first_and_stays_so(taken: Taken) -> None:
    assert taken.first() == taken.first() == 2


def test_nobody_comes_where_all_sit(taken: Taken) -> None:
    for member in (2, 3):
        taken.seats.sit(trial(str(member)), taken.key(member))
    assert taken.first() is None


def test_who_stands_up_comes_after_those_that_are_further_behind(taken: Taken) -> None:
    taken.population.apply(trained(0, 1))
    taken.seats.sit(taken.trials[0], taken.key(2))
    assert taken.first() == 3
    taken.seats.sit(taken.trials[1], taken.key(3))
    # m1, who has not trained yet, lost a seat after m0.
    assert taken.first() == 1


def test_who_waits_at_a_boundary_gets_no_seat_before_it_is_decided(taken: Taken) -> None:
    for iteration in (1, 2):
        for member in (0, 1):
            apply_all(taken.population, [trained(member, iteration)])
    member_scores(taken.population, {0: 1.0, 1: 2.0}, 2)
    for member, each in zip((2, 3), taken.trials, strict=True):
        taken.seats.sit(each, taken.key(member))
    assert taken.first() is None
    member_scores(taken.population, {2: 3.0, 3: 4.0}, 2)
    apply_all(taken.population, taken.population.decide(taken.population.due()))
    assert taken.first() is None
    taken.standby.come(1)
    taken.standby.come(0)
    assert taken.first() == 0


def test_who_is_done_gets_no_seat(taken: Taken) -> None:
    apply_all(taken.population, [trained(2, 6)])
    taken.seats.leave(taken.trials[1])
    assert taken.first() == 1
    taken.seats.sit(taken.trials[1], taken.key(1))
    assert taken.first() == 3
