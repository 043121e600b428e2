"""Where a member stands, and the rules that it competes by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from orchestrator.curricula import Curriculum, Outlook, State
from orchestrator.distributions import EnvSpace, Level
from orchestrator.exploit import Exploiter
from orchestrator.explore import Explorer, Search
from orchestrator.sketch import Journalled
from orchestrator.stop import Stop

MemberKey = tuple[str, int, int]


@dataclass(frozen=True)
class Rules:
    """How a population competes; the same for every seed of an arm.

    Attributes:
        reference: a member that the scheduler leaves alone, to compare the others with: it
            copies nobody, and a curriculum of the driver leaves its distribution as it began;
            one that it runs itself goes on. None: all compete.
        select: the levels of the select suite, for curricula that compare members on them.
    """

    size: int
    interval: int
    mode: Literal["sync", "async"]
    space: EnvSpace
    search: Search
    curriculum: Curriculum
    exploit: Exploiter
    explore: Explorer
    stop: Stop
    reference: int | None = None
    select: tuple[Level, ...] = ()


@dataclass(frozen=True)
class Saved:
    """A checkpoint on disk: path relative to the run directory, digest of its manifest."""

    path: str
    digest: str
    iteration: int
    score: float | None = None


@dataclass(frozen=True)
class MemberState:
    """Where a member stands.

    Attributes:
        restore_point: the checkpoint that its weights come from; after an exploit the
            donor's. None: fresh weights.
        own: its newest checkpoint of its own.
        score: on the select suite, of these weights; None when they were never scored.
        scored_at: the iteration of ``score``.
        returns: one for each level of the select suite, as ``score``; None where not finite.
        decided_at: the last boundary that the scheduler has decided for it.
        distribution: what its levels are drawn from; a sketch where that holds many levels.
        curriculum: its state in a curriculum of the driver.
        outlook: how far its next move is, where its own process runs the curriculum.
        quiet: boundaries since its distribution last changed.
        minutes: time spent in its iterations.
    """

    key: MemberKey
    hyperparameters: Mapping[str, Any]
    distribution: Journalled
    revision: int = 0
    iteration: int = 0
    env_steps: int = 0
    minutes: float = 0.0
    restore_point: Saved | None = None
    own: Saved | None = None
    score: float | None = None
    scored_at: int = -1
    returns: tuple[float | None, ...] = ()
    decided_at: int = 0
    curriculum: State = field(default_factory=dict)
    outlook: Outlook | None = None
    quiet: int = 0
    training_return: float | None = None
    faults: int = 0
    failed: bool = False

    @property
    def member(self) -> int:
        """The member's number."""
        return self.key[2]

    def who(self) -> dict[str, Any]:
        """What every record about the member says of it: arm, seed, member, iteration."""
        arm, seed, member = self.key
        return {"arm": arm, "seed": seed, "member": member, "iteration": self.iteration}

    def plain(self) -> dict[str, Any]:
        """All that a process needs to stand where the member stands, as plain data."""
        point = self.restore_point
        return {
            **self.who(),
            "env_steps": self.env_steps,
            "minutes": self.minutes,
            "hyperparameters": dict(self.hyperparameters),
            "distribution": self.distribution.to_json(),
            "revision": self.revision,
            "checkpoint": None if point is None else point.path,
            "digest": None if point is None else point.digest,
        }
