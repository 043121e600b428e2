"""Populations of synthetic students: the env evolves, moves by regret, or stays the full range.

All of them copy: the worst member goes on as a copy of the best. So what is compared is what the
distributions do. The episodes of the select suite are not counted, for any of them, though it is
from those that `population_regret` learns where to go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.curricula.challenges import CHALLENGES, SPACE, Challenge
from benchmarks.curricula.held_out import SEEDS, compared, results
from benchmarks.curricula.simulated import lived
from benchmarks.curricula.students import Student
from benchmarks.curricula.tables import Line
from orchestrator import seeding
from orchestrator.curricula import Curriculum, DomainRandomization, Evolving
from orchestrator.curricula.population_regret import PopulationRegret
from orchestrator.distributions import Distribution, Level
from orchestrator.exploit import Truncation
from orchestrator.explore import Perturb
from orchestrator.member_state import Rules
from orchestrator.stop import Stop

__all__ = ["CURRICULA", "Lesson", "measure"]

_MEMBERS = 4
_ITERATIONS = 80
_BATCH = 50
_INTERVAL = 5
_SELECT = 32

CURRICULA: Mapping[str, Curriculum] = {
    "population": Evolving(),
    "population_regret": PopulationRegret(),
}


@dataclass(frozen=True)
class Lesson:
    """The task of a member: to become competent in a challenge.

    Attributes:
        select: the levels that members are ranked on, whether feasible or not.
    """

    name: str
    challenge: Challenge
    select: tuple[Level, ...]

    def beginner(self) -> Student:
        """Before any training."""
        return Student.beginner(self.challenge)

    def trained(self, learnt: Student, levels: Distribution, rng: np.random.Generator) -> Student:
        """After a batch of episodes."""
        batch = [levels.sample(rng) for _ in range(_BATCH)]
        return learnt.trained(learnt.played(batch, rng, trained=True))

    def returns(self, learnt: Student, rng: np.random.Generator) -> Sequence[float]:
        """Of one episode on each level of the suite."""
        return [each.total for each in learnt.played(self.select, rng, trained=False)]


def measure() -> Iterator[Line]:
    """The member that is ahead in the end, against that of a population on the full range."""
    for challenge in CHALLENGES:
        baseline = _seeds(challenge, DomainRandomization())
        for name, curriculum in CURRICULA.items():
            what = {"challenge": challenge, "curriculum": name}
            parameters = (
                f"{curriculum}; {_MEMBERS} members of {_ITERATIONS * _BATCH} episodes each, "
                f"in batches of {_BATCH}, interval {_INTERVAL}, {_SELECT} levels in the suite"
            )
            yield from compared(what, _seeds(challenge, curriculum), baseline, parameters)


def _seeds(challenge: str, curriculum: Curriculum) -> list[dict[str, float]]:
    return [results(challenge, _best(challenge, curriculum, seed), seed) for seed in range(SEEDS)]


def _best(name: str, curriculum: Curriculum, seed: int) -> Student:
    """The member with the highest score after the last iteration."""
    challenge = CHALLENGES[name](seeding.generator("challenge", name, seed))
    rng = seeding.generator("select", name, seed)
    select = tuple(SPACE.full().sample(rng) for _ in range(_SELECT))
    lesson = Lesson(name, challenge, select)
    rules = Rules(
        size=_MEMBERS,
        interval=_INTERVAL,
        mode="sync",
        space=SPACE,
        search={},
        curriculum=curriculum,
        exploit=Truncation(),
        explore=Perturb(),
        stop=Stop(iterations=_ITERATIONS),
        select=select,
    )
    last = lived(rules, lesson, seed)[-1]
    return max(last, key=lambda student: sum(lesson.returns(student, rng)))
