"""Curricula that never change a distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from orchestrator.curricula.base import Curriculum, Outlook, Owner, Stand
from orchestrator.distributions import EnvSpace


@dataclass(frozen=True)
class Fixed(Curriculum):
    """The knobs' start ranges, throughout; the legal range where a knob has none."""

    owner: ClassVar[Owner] = "driver"

    def begin(self, space: EnvSpace) -> Stand:
        return Stand(space.initial())

    def outlook(self, stand: Stand) -> Outlook:
        return Outlook("fixed")


@dataclass(frozen=True)
class DomainRandomization(Fixed):
    """The whole legal range, uniform, throughout (Tobin et al. 2017)."""

    def begin(self, space: EnvSpace) -> Stand:
        return Stand(space.full())
