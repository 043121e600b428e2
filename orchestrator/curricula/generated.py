"""Levels that a policy decides: the curriculum is what that policy learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from orchestrator.curricula.base import Curriculum, Need, Outlook, Owner, Stand
from orchestrator.distributions import EnvSpace


@dataclass(frozen=True)
class Generated(Curriculum):
    """A generator acts in the first step of each episode and may decide on any legal level.

    So the distribution is the whole legal range and never changes; the generator's weights
    stand in the member's checkpoints like those of its other policies.
    """

    owner: ClassVar[Owner] = "driver"

    @property
    def needs(self) -> frozenset[Need]:
        return frozenset({"generator"})

    def begin(self, space: EnvSpace) -> Stand:
        return Stand(space.full())

    def outlook(self, stand: Stand) -> Outlook:
        return Outlook("the generator decides each level")
