"""A course through a curriculum: where somebody stands in it, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orchestrator import seeding
from orchestrator.curricula import Curriculum, Move, Outlook, Seen, Stand
from orchestrator.distributions import Distribution, EnvSpace, Level, distribution_from_json


@dataclass(frozen=True)
class Course:
    """Where a member, or a stock trial, stands in a curriculum; a value.

    Attributes:
        key: names its random streams.
        revision: of its distribution.
    """

    curriculum: Curriculum
    key: tuple[str | int, ...]
    stand: Stand
    revision: int = 0

    @classmethod
    def begun(cls, curriculum: Curriculum, space: EnvSpace, key: tuple[str | int, ...]) -> Course:
        """At its beginning.

        Raises:
            ValueError: if the curriculum can do nothing with this space.
        """
        return cls(curriculum, key, curriculum.begin(space))

    @property
    def distribution(self) -> Distribution:
        """What levels are drawn from."""
        return self.stand.distribution

    @property
    def outlook(self) -> Outlook:
        """How far its next move is."""
        return self.curriculum.outlook(self.stand)

    def probes(self, iteration: int) -> Sequence[Level]:
        """Levels to be rolled out without gradient before the next iteration."""
        rng = seeding.generator(*self.key, "probes", iteration)
        return self.curriculum.probes(self.stand, rng)

    def after(self, seen: Seen) -> tuple[Course, Move | None]:
        """One iteration later, and the move to another distribution, if there was one."""
        observed = self.curriculum.observe(self.stand, seen)
        rng = seeding.generator(*self.key, "move", seen.iteration)
        move = self.curriculum.move(observed, rng)
        if move is None:
            return replace(self, stand=observed), None
        moved = replace(self, stand=move.stand)
        if move.stand.distribution == self.distribution:
            return moved, None
        return replace(moved, revision=self.revision + 1), move

    def to_json(self) -> dict[str, Any]:
        """What has changed since the beginning, as JSON; `loaded` is the inverse."""
        return {
            "distribution": self.distribution.to_json(),
            "state": self.stand.state,
            "revision": self.revision,
        }

    def loaded(self, data: Mapping[str, Any]) -> Course:
        """This course, where `to_json` found it."""
        distribution = distribution_from_json(self.distribution.space, data["distribution"])
        return replace(self, stand=Stand(distribution, data["state"]), revision=data["revision"])
