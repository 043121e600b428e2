"""Runs without Ray: ledgers on a real journal, fed with records of made-up members."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

from distribution_catalogue import CARTPOLE

from orchestrator import checkpoints
from orchestrator.curricula import Curriculum, Evolving, Widen
from orchestrator.distributions import EnvSpace
from orchestrator.exploit import Truncation
from orchestrator.explore import Perturb
from orchestrator.journal import Journal
from orchestrator.knobs import Continuous
from orchestrator.ledger import Ledger
from orchestrator.member_state import Rules
from orchestrator.operators import shift
from orchestrator.population import Population
from orchestrator.records import (
    CheckpointSaved,
    Exploit,
    Fault,
    Mutation,
    Record,
    Result,
    RunEnded,
    RunStarted,
    Score,
)
from orchestrator.retention import Shelf
from orchestrator.seeding import generator
from orchestrator.stop import Stop

ITERATIONS = 40
INTERVAL = 4


class SyntheticRun:
    """A ledger and what is needed to make its members train, score, move and fail.

    Attributes:
        ledger: empty until `begin`.
        taken: every record so far, as a reader of the journal would find them.
    """

    def __init__(
        self,
        folder: Path,
        arms: tuple[str, ...] = ("main",),
        seeds: tuple[int, ...] = (0,),
        size: int = 4,
        space: EnvSpace = CARTPOLE,
        curriculum: Curriculum | None = None,
        stop: Stop | None = None,
        mode: Literal["sync", "async"] = "sync",
    ) -> None:
        self.folder = folder
        rules = Rules(
            size=size,
            interval=INTERVAL,
            mode=mode,
            space=space,
            search={"lr": Continuous(1e-4, 3e-3, "log")},
            curriculum=curriculum or Evolving(widen=Widen(above=400.0)),
            exploit=Truncation(),
            explore=Perturb(),
            stop=stop or Stop(iterations=ITERATIONS),
        )
        self.journal = Journal(folder / "journal.jsonl")
        self.ledger = Ledger(
            self.journal, [Population(arm, seed, rules) for arm in arms for seed in seeds]
        )
        self.taken: list[Record] = []
        self.shelf = Shelf()
        self.ledger.listen(self.taken.append)
        self.ledger.listen(self.shelf.apply)

    @property
    def population(self) -> Population:
        """The first population."""
        return next(iter(self.ledger.populations.values()))

    @property
    def work(self) -> dict[tuple[str, int], int | None]:
        """Iterations of each member."""
        return {
            key: population.rules.stop.iterations
            for key, population in self.ledger.populations.items()
        }

    def begin(self, name: str = "synthetic") -> None:
        """Record the run's start and every member."""
        self.ledger.record(RunStarted(name=name, experiment="0", arms={}, versions={}, command=()))
        for population in self.ledger.populations.values():
            rules = population.rules
            start = rules.curriculum.begin(rules.space).distribution
            beginnings = [({"lr": 0.001 * (1 + m)}, start) for m in range(rules.size)]
            self.ledger.record(*population.first(beginnings, "test"))

    def train(self, iteration: int) -> None:
        """One more result of every member, which has then trained so often."""
        for state in self.ledger.states():
            self.ledger.record(
                Result(
                    **self.who(state.key, iteration),
                    training_return=100.0,
                    env_steps=1000 * iteration,
                    revisions={str(state.revision): {"episodes": 5, "return": 100.0}},
                    seconds={"train": 1.0},
                )
            )

    def score(self, member: int, score: float | None, iteration: int) -> None:
        """A member of the first population gets a score, and a checkpoint that lies on disk."""
        who = self.who(self.population.members[member].key, iteration)
        place = checkpoints.directory(who["arm"], who["seed"], member, iteration)
        weights = f"weights of {place}"

        def fill(folder: Path) -> None:
            (folder / "weights").write_text(weights)

        _, digest = checkpoints.write(self.folder / place, fill, who)
        self.ledger.record(
            Score(**who, score=score, suite="select", returns=(score, score)),
            CheckpointSaved(**who, path=str(place), digest=digest, score=score),
        )

    def boundary(self, iteration: int, scores: dict[int, float]) -> None:
        """Train to ``iteration``, score, and have the first population decide for real."""
        for each in range(self.population.members[0].iteration + 1, iteration + 1):
            self.train(each)
        for member, score in scores.items():
            self.score(member, score, iteration)
        self.ledger.record(*self.population.decide(list(scores)))

    def exploit(self, member: int, donor: int) -> Exploit:
        """Have a member of the first population copy another."""
        state, source = self.population.members[member], self.population.members[donor]
        record = Exploit(
            **self.who(state.key, state.iteration),
            donor=donor,
            checkpoint=f"members/m{donor}",
            digest=hashlib.sha256(b"").hexdigest(),
            saved=f"members/m{member}",
            before=dict(state.hyperparameters),
            after=dict(source.hyperparameters),
        )
        self.ledger.record(record)
        return record

    def mutate(self, member: int, why: str = "shift", by: str = "callback") -> Mutation:
        """Shift a member's distribution."""
        state = self.population.members[member]
        after = shift(state.distribution, generator("synthetic", member, state.revision), 0.2)
        record = Mutation(
            **self.who(state.key, state.iteration),
            revision=state.revision + 1,
            by=by,
            why=why,
            before=state.distribution.to_json(),
            after=after.to_json(),
        )
        self.ledger.record(record)
        return record

    def fault(self, member: int, error: str, action: str = "retried") -> None:
        """A fault of a member of the first population."""
        state = self.population.members[member]
        who = self.who(state.key, state.iteration)
        self.ledger.record(Fault(**who, where="member", error=error, action=action))

    def end(self, status: str) -> None:
        """The run's end."""
        self.ledger.record(RunEnded(status=status))

    @staticmethod
    def who(key: tuple[str, int, int], iteration: int) -> dict[str, Any]:
        """The fields that name a member."""
        arm, seed, member = key
        return {"arm": arm, "seed": seed, "member": member, "iteration": iteration}
