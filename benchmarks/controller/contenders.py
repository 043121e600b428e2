"""What is compared: our scheduler with callbacks and journal, and Tune's FIFO with nothing else.

Both have equally many results reported. Ours has as many members as asked for, those of the
quickstart; with fewer seats than members they take turns. FIFO has a trial for each of them, one
after another in as many processes; or one longer trial for each process, so that nothing ever
changes hands. Not among the callbacks are the loggers, which work on threads of their own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ray.tune import Callback
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from rich.console import Console

from benchmarks.setting import QUICKSTART
from callbacks.population_mutation import PopulationMutation
from callbacks.progress import PlainProgress
from callbacks.retention import Retention
from experiments.loading import load
from experiments.rules import beginnings, rules_of
from orchestrator.journal import Journal
from orchestrator.ledger import Ledger
from orchestrator.population import Population
from orchestrator.retention import Shelf
from orchestrator.scheduler import PopulationScheduler
from orchestrator.seats import Seats
from orchestrator.tuning import seated_states

INTERVAL = 5
JOURNAL = "journal.jsonl"
_ARM = "main"


@dataclass(frozen=True)
class Size:
    """How much is run.

    Attributes:
        seats: trials; members beyond that take turns.
        results: of each member.
    """

    members: int
    seats: int
    results: int = 50

    def __str__(self) -> str:
        seats = "" if self.seats == self.members else f" on {self.seats} seats"
        return f"{self.members} members{seats}"

    @property
    def decisions(self) -> int:
        """How often it is decided about a member; not after its last iteration."""
        return self.members * ((self.results - 1) // INTERVAL)


@dataclass(frozen=True)
class Contender:
    """What goes into a Tuner.

    Attributes:
        states: where the members of the trials begin.
        last: the iteration that a toy ends with.
        stop: Tune's own criterion; ours decides that in its scheduler.
        journal: what ours writes; None without any.
    """

    scheduler: TrialScheduler
    callbacks: Sequence[Callback]
    states: Sequence[Mapping[str, Any]]
    last: int
    stop: Mapping[str, int] = field(default_factory=dict)
    journal: Journal | None = None


@contextmanager
def ours(run_dir: Path, size: Size) -> Iterator[Contender]:
    """What a run has: scheduler, mutations, retention, plain progress, journal."""
    experiment = load(QUICKSTART, _overrides(size)).arms[_ARM]
    population = Population(_ARM, 0, rules_of(experiment))
    shelf = Shelf(keep_best=experiment.checkpoint.keep_best)
    with Journal(run_dir / JOURNAL) as journal, open(os.devnull, "w") as nowhere:
        ledger = Ledger(journal, [population], [shelf.apply])
        ledger.record(*population.first(*beginnings(population, experiment)))
        progress = PlainProgress(ledger, {(_ARM, 0): size.results}, Console(file=nowhere))
        ledger.listen(progress.take)
        progress.start()
        seats = Seats()
        yield Contender(
            scheduler=PopulationScheduler(ledger, seats, {_ARM: 0}),
            callbacks=(PopulationMutation(ledger, seats), Retention(ledger, shelf, run_dir)),
            states=seated_states(ledger, size.seats),
            last=size.results,
            journal=journal,
        )


@contextmanager
def fifo(run_dir: Path, size: Size) -> Iterator[Contender]:
    """A trial for each member."""
    with ours(run_dir, replace(size, seats=size.members)) as begun:
        yield _fifo(begun.states, size.results)


@contextmanager
def fifo_of_seats(run_dir: Path, size: Size) -> Iterator[Contender]:
    """As many results, of a longer trial for each seat."""
    with ours(run_dir, size) as begun:
        yield _fifo(begun.states, size.members * size.results // size.seats)


def _fifo(states: Sequence[Mapping[str, Any]], last: int) -> Contender:
    return Contender(FIFOScheduler(), (), states, last, {"training_iteration": last})


def _overrides(size: Size) -> list[str]:
    values = {
        "population.size": size.members,
        "population.interval": INTERVAL,
        "stop.iterations": size.results,
    }
    return [f"{key}={value}" for key, value in values.items()]
