"""A population that lives through a run without Ray: weights are digests, training is hashing.

What a member becomes depends on everything that it must depend on (donor, hyperparameters,
distribution, iteration), so two runs with the same weights at the end went the same way. The
order in which members get their turns, faults and kills are drawn from a generator.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from distribution_catalogue import CARTPOLE

from orchestrator import records, seeding
from orchestrator.curricula import Evolving, Fixed, Owner, Widen
from orchestrator.distributions import Distribution
from orchestrator.exploit import Truncation
from orchestrator.explore import Perturb
from orchestrator.initial import draw_random
from orchestrator.knobs import Choice, Continuous
from orchestrator.ledger import Ledger
from orchestrator.lines import line_of, to_record
from orchestrator.member_state import MemberState, Rules
from orchestrator.operators import shift
from orchestrator.population import Population
from orchestrator.records import Record, finite, to_json
from orchestrator.retention import Shelf
from orchestrator.stop import Stop
from orchestrator.suites import SELECT

ARM, SEED = "main", 7
SEARCH = {"lr": Continuous(1e-4, 1e-2, "log"), "layers": Choice(([64], [64, 64], [256]))}


class Own(Fixed):
    """Stands for a curriculum that each member runs in its own process."""

    owner: ClassVar[Owner] = "member"


Decision = records.Exploit | records.Mutation | records.Boundary


def rules(**changes: Any) -> Rules:
    """Rules under which much happens in few iterations."""
    settings: dict[str, Any] = {
        "size": 4,
        "interval": 2,
        "mode": "sync",
        "space": CARTPOLE,
        "search": SEARCH,
        "curriculum": Evolving(widen=Widen(above=45.0, by=0.3, min_episodes=3)),
        "exploit": Truncation(0.25),
        "explore": Perturb(),
        "stop": Stop(iterations=8),
    }
    return Rules(**{**settings, **changes})


def started(now: Rules) -> Population:
    """A population whose members have begun, none of them trained."""
    population = Population(ARM, SEED, now)
    beginnings = draw_random(now.size, now.space, now.search, now.curriculum, SEED, ARM)
    for record in population.first(beginnings, "random"):
        population.apply(read_back(record))
    return population


def read_back(record: Record) -> Record:
    """The record as a reader of the journal finds it."""
    return to_record(line_of(json.dumps(to_json(record), allow_nan=False).encode()))


def who(member: int, iteration: int) -> dict[str, Any]:
    """The fields that every record about a member has."""
    return {"arm": ARM, "seed": SEED, "member": member, "iteration": iteration}


def trained(
    member: int, iteration: int, mean: float = 0.0, episodes: int = 10, revision: int = 0
) -> records.Result:
    """One iteration of a member."""
    return records.Result(
        **who(member, iteration),
        training_return=mean,
        env_steps=100 * iteration,
        revisions={str(revision): {"episodes": episodes, "return": mean}},
        seconds={"train": 6.0},
    )


def saved(member: int, iteration: int, score: float | None) -> list[Record]:
    """What a member reports at a boundary besides its iteration."""
    score = None if score is None else finite(score)
    found: list[Record] = [
        records.Score(**who(member, iteration), score=score, suite=SELECT, returns=(score,)),
        records.CheckpointSaved(
            **who(member, iteration),
            path=f"m{member}/{iteration}",
            digest=f"d{member}-{iteration}",
            score=score,
        ),
    ]
    return found


def resumed() -> records.RunResumed:
    """The record of a new leg, whatever other fields it has."""
    given = {"experiment": "", "arms": {}, "versions": {}, "command": ()}
    known = records.RunResumed.__dataclass_fields__
    return records.RunResumed(**{name: given[name] for name in given if name in known})  # type: ignore[arg-type]


class Killed(Exception):
    """The process is gone."""


@dataclass
class MemoryJournal:
    """What the tests need of a journal; the process dies at the entries in ``kills``."""

    entries: list[tuple[Record, ...]] = field(default_factory=list)
    kills: set[int] = field(default_factory=set)

    @property
    def records(self) -> tuple[Record, ...]:
        return tuple(record for entry in self.entries for record in entry)

    def append(self, *entry: Record) -> tuple[Record, ...]:
        if not entry:
            return ()
        if len(self.entries) in self.kills:
            self.kills.discard(len(self.entries))
            raise Killed
        self.entries.append(tuple(read_back(record) for record in entry))
        return self.entries[-1]


class Run:
    """One population from its start, or from where a journal stands, to its end."""

    def __init__(
        self,
        now: Rules,
        journal: MemoryJournal | None = None,
        disk: dict[str, str] | None = None,
        turns: int = 0,
    ) -> None:
        self.rules = now
        self.journal = journal if journal is not None else MemoryJournal()
        self.disk = disk if disk is not None else {}
        self.shelf = Shelf(keep_best=2)
        self.population = Population(ARM, SEED, now)
        self.ledger = Ledger(self.journal, [self.population], [self.shelf.apply])  # type: ignore[arg-type]
        self.rng = seeding.generator("turns", turns)
        self.weights: dict[int, str] = {}

    def go(self, faults: float = 0.0, give_up: float = 0.0, pauses: float = 0.0) -> Run:
        """To the end; `Killed` comes through. Asserts that nobody waits for ever.

        At each turn, with these probabilities, a member fails (to be retried or given up), or
        all are saved where they stand and the process ends in order.
        """
        self._begin()
        while True:
            able = [m for m in self.population.live() if not self.population.waiting(m)]
            if not able:
                assert not self.population.live(), "members wait for each other for ever"
                return self
            member = int(self.rng.choice(able))
            luck = self.rng.random()
            if luck < faults + give_up:
                self._fail(member, "failed" if luck < give_up else "retried")
            elif luck < faults + give_up + pauses:
                self._pause()
            else:
                self._train(member)
            self._turn()

    def _begin(self) -> None:
        if self.population.members:
            self.ledger.record(resumed())
        else:
            now = self.rules
            beginnings = draw_random(now.size, now.space, now.search, now.curriculum, SEED, ARM)
            self.ledger.record(*self.population.first(beginnings, "random"))
        for state in self.population.members.values():
            self.weights[state.member] = self._stood_on(state)
        self._turn()

    def _stood_on(self, state: MemberState) -> str:
        point = state.restore_point
        return _digest("fresh", state.member) if point is None else self.disk[point.path]

    def _train(self, member: int) -> None:
        state = self.population.members[member]
        iteration = state.iteration + 1
        weights = _digest(
            self.weights[member], iteration, state.hyperparameters, state.distribution.to_json()
        )
        self.weights[member] = weights
        steps = state.env_steps + 50 + _number(weights, "steps") % 100
        entry: list[Record] = [
            records.Result(
                **who(member, iteration),
                training_return=float(_number(weights, "return") % 100),
                env_steps=steps,
                revisions={
                    str(state.revision): {
                        "episodes": _number(weights, "episodes") % 6,
                        "return": float(_number(weights, "return") % 100),
                    }
                },
                seconds={"train": 6.0},
            )
        ]
        if self.population.runs_in_members and _number(weights, "moves") % 3 == 0:
            entry.append(self._own_move(state, iteration, weights))
        stop = self.rules.stop
        if iteration % self.rules.interval == 0 or stop.spent(iteration, steps, 0.0):
            luck = _number(weights, "score") % 100
            path = f"m{member}/{iteration}"
            self.disk[path] = weights
            score = None if luck < 10 else float(luck)
            common = who(member, iteration)
            entry += [
                records.Score(
                    **common, score=score, suite=SELECT, returns=self._returns(weights, score)
                ),
                records.CheckpointSaved(**common, path=path, digest=weights, score=score),
            ]
        self.ledger.record(*entry)

    def _returns(self, weights: str, score: float | None) -> tuple[float | None, ...]:
        """On each level of the select suite."""
        del weights
        return (score,)

    @staticmethod
    def _own_move(state: MemberState, iteration: int, weights: str) -> records.Mutation:
        assert isinstance(state.distribution, Distribution)
        rng = seeding.generator("own", weights)
        return records.Mutation(
            **who(state.member, iteration),
            revision=state.revision + 1,
            by="curriculum",
            why="its own",
            before=state.distribution.to_json(),
            after=shift(state.distribution, rng).to_json(),
        )

    def _fail(self, member: int, action: str) -> None:
        iteration = self.population.members[member].iteration
        self.ledger.record(
            records.Fault(**who(member, iteration), where="member", error="!", action=action)
        )
        self.weights[member] = self._stood_on(self.population.members[member])

    def _pause(self) -> None:
        for member in self.population.live():
            iteration = self.population.members[member].iteration
            own = self.population.members[member].own
            if iteration > 0 and (own is None or own.iteration != iteration):
                weights = self.weights[member]
                self.disk[f"m{member}/{iteration}"] = weights
                self.ledger.record(
                    records.CheckpointSaved(
                        **who(member, iteration),
                        path=f"m{member}/{iteration}",
                        digest=weights,
                        score=None,
                    )
                )
        self.ledger.record(records.RunEnded(status="stopped"))
        raise Killed

    def _turn(self) -> None:
        due = self.population.due()
        if due:
            entry = self.population.decide(due)
            self.ledger.record(*entry)
            for record in entry:
                if isinstance(record, records.Exploit):
                    assert record.digest == self.disk[record.checkpoint]
                    self.weights[record.member] = self.disk[record.checkpoint]
        self.ledger.record(*self.population.moves())
        for record in self.shelf.superfluous([self.population]):
            self.disk.pop(record.path, None)
            facts = {name: getattr(record, name) for name in ("path", "digest", "score")}
            pruned = records.Pruned(**who(record.member, record.iteration), **facts)
            self.ledger.record(pruned)
        for point in self.population.restore_points():
            assert point.path in self.disk, f"{point.path} was pruned, but is stood on"

    def end(self) -> dict[int, Any]:
        """Where every member ended, and with what weights."""
        return {
            member: (self.weights[member], state.plain(), state.score, state.own)
            for member, state in self.population.members.items()
        }

    def decisions(self) -> list[Decision]:
        """All that was decided for members, in order; what they decide comes with training."""
        return [
            record
            for record in self.journal.records
            if isinstance(record, Decision) and getattr(record, "by", "") != "curriculum"
        ]


def run_with_kills(
    now: Rules, kills: Iterable[int], turns: int, kind: type[Run] = Run, **luck: float
) -> Run:
    """A run whose processes die at these journal entries, and that is resumed each time."""
    journal, disk = MemoryJournal(kills=set(kills)), dict[str, str]()
    for leg in range(1000):
        run = kind(now, journal, disk, turns + leg)
        try:
            return run.go(**luck)
        except Killed:
            continue
    raise AssertionError("the run never ended")


def replayed(run: Run) -> Population:
    """A population that only reads the journal of a run."""
    population = Population(ARM, SEED, run.rules)
    for record in run.journal.records:
        population.apply(record)
    return population


def member_scores(population: Population, scores: Mapping[int, float], iteration: int) -> None:
    """Bring members to a boundary with these scores."""
    for member, score in scores.items():
        population.apply(trained(member, iteration))
        apply_all(population, saved(member, iteration, score))


def apply_all(population: Population, entry: Sequence[Record]) -> None:
    """Take in an entry as a reader of the journal would."""
    for record in entry:
        population.apply(read_back(record))


def _digest(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _number(weights: str, what: str) -> int:
    return int(_digest(weights, what), 16)


def some_generator() -> np.random.Generator:
    """A generator for tests that do not care which."""
    return seeding.generator("some")
