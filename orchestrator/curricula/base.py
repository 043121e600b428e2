"""What every curriculum is: a rule from a state and what was seen to the next env distribution.

Pure. A member *stands* somewhere in its curriculum: at an env distribution, and at a state of
plain JSON values. `Curriculum.observe` takes in what an iteration showed, `Curriculum.move`
decides whether the distribution changes. Nothing is kept in the curriculum itself, so that a
stand can be saved, journalled, copied to another member and taken up in another process.

A curriculum of the *driver* sees the sums that members report, and may compare members; one of
the *member* sees each episode, in the member's own process, and is saved in its checkpoints.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np

from orchestrator.distributions import Distribution, EnvSpace, Level

State = Mapping[str, Any]
"""JSON values alone; never changed in place."""

Owner = Literal["driver", "member"]

Need = Literal["episodes", "values", "success", "score", "regret", "rollouts", "generator"]
"""What a curriculum cannot do without: single episodes, scores that take a value function, a
success signal, the select suite's score, regret against the other members, rollouts without
gradient, a policy that decides the levels."""


@dataclass(frozen=True)
class Outcome:
    """One finished episode.

    Attributes:
        level: what it was played on.
        total: undiscounted return, summed over the agents that count.
        length: env steps.
        success: whether the task was solved; None where the env does not say.
        scores: numbers that take a value function, by name: ``l1`` (mean absolute GAE), ``pvl``
            (mean of the GAE's positive part), ``value`` (mean of V(s)); empty without one.
        trained: whether it was trained on; False for a rollout without gradient.
        revision: of the distribution that the level was drawn from.
    """

    level: Level
    total: float
    length: int
    success: bool | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    trained: bool = True
    revision: int = 0


@dataclass(frozen=True)
class Seen:
    """What one iteration showed.

    Attributes:
        episodes, mean_return, success_rate: of the episodes that were trained on, ended, and
            were played on the present revision; means are None without any.
        iteration, env_steps: where the member stands after it.
        score: on the select suite, where it was played; else None.
        outcomes: every episode that ended, rollouts without gradient included; on the driver,
            which hears of sums alone, none.
        regrets: levels, and how much better the best member of the population did on each than
            this one; only for curricula that need regret.
    """

    episodes: int = 0
    mean_return: float | None = None
    success_rate: float | None = None
    iteration: int = 0
    env_steps: int = 0
    score: float | None = None
    outcomes: tuple[Outcome, ...] = ()
    regrets: tuple[tuple[Level, float], ...] = ()

    @classmethod
    def of(
        cls,
        outcomes: Iterable[Outcome],
        revision: int,
        *,
        iteration: int,
        env_steps: int,
        score: float | None = None,
    ) -> Seen:
        """What these episodes come to for a member that is on ``revision``."""
        everything = tuple(outcomes)
        present = [each for each in everything if each.trained and each.revision == revision]
        known = [each.success for each in present if each.success is not None]
        return cls(
            episodes=len(present),
            mean_return=_mean([each.total for each in present]),
            success_rate=_mean(known),
            iteration=iteration,
            env_steps=env_steps,
            score=score,
            outcomes=everything,
        )


@dataclass(frozen=True)
class Stand:
    """Where a member stands in its curriculum."""

    distribution: Distribution
    state: State = field(default_factory=dict)


@dataclass(frozen=True)
class Move:
    """A new stand, and the reason for it in one line."""

    stand: Stand
    why: str


@dataclass(frozen=True)
class Outlook:
    """How far the next move is, in one line.

    Attributes:
        waits: whether training has to earn the move. One that does for several boundaries is
            said to stall.
    """

    text: str
    waits: bool = False


class Curriculum(ABC):
    """A rule. Its parameters are the fields of a frozen dataclass; its state is in the stand.

    The order of calls: `begin` once; then for each iteration `probes`, `observe`, `move`. After
    an exploit the loser goes on from what `copied` makes of the donor's stand.
    """

    owner: ClassVar[Owner] = "member"
    """Who runs it. A curriculum of the driver cannot have single episodes."""

    draws_start: ClassVar[bool] = False
    """Whether members may begin with distributions of their own."""

    @property
    def needs(self) -> frozenset[Need]:
        """What it cannot do without."""
        return frozenset()

    @abstractmethod
    def begin(self, space: EnvSpace) -> Stand:
        """Where every member starts, unless another distribution is drawn for it.

        Raises:
            ValueError: if it can do nothing with this space; says why.
        """

    def observe(self, stand: Stand, seen: Seen) -> Stand:
        """The stand after one more iteration; its distribution is left as it is."""
        del seen
        return stand

    def move(self, stand: Stand, rng: np.random.Generator) -> Move | None:
        """The next distribution, if it is time for one; None to stay."""
        del stand, rng
        return None

    def copied(self, donor: Stand, rng: np.random.Generator) -> Move:
        """Where a member goes on that has just copied the model of a donor that stands there."""
        del rng
        return Move(donor, "as it is")

    def probes(self, stand: Stand, rng: np.random.Generator) -> Sequence[Level]:
        """Levels to be rolled out without gradient before the next iteration is trained."""
        del stand, rng
        return ()

    @abstractmethod
    def outlook(self, stand: Stand) -> Outlook:
        """How far the next move is."""


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
