"""``kind: population_regret``: towards levels on which another member does better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from orchestrator.curricula.base import Curriculum, Move, Need, Outlook, Owner, Seen, Stand
from orchestrator.distributions import Distribution, EnvSpace, Mixture
from orchestrator.knobs import Weights
from orchestrator.neighbourhood import neighbourhood
from orchestrator.pictures import short


@dataclass(frozen=True)
class PopulationRegret(Curriculum):
    """At each boundary, levels near those where the best member is ahead by the most.

    PAIRED (Dennis et al. 2020) without an antagonist: a member's regret on a level is the best
    member's return on it, less its own. That there is a better member shows that the level can
    be played better, so that, unlike a low return, regret does not lead to levels that nobody
    can solve. A few levels stand for all that are like them.

    Members begin where the knobs' start ranges say. The best member on every level stays where
    it is. The state is the highest regrets and their levels, none of them zero or below.

    Attributes:
        uniform: share of the episodes, in [0, 1], on the whole legal range: regret on levels that
            are like none of these would otherwise grow unseen.
        reach: how far around such a level is drawn, as a share in (0, 1] of the legal width.
        parts: how many of the levels count; each is drawn in proportion to its regret.
    """

    owner: ClassVar[Owner] = "driver"

    uniform: float = 0.2
    reach: float = 0.1
    parts: int = 8

    def __post_init__(self) -> None:
        if not 0.0 <= self.uniform <= 1.0:
            raise ValueError(f"`0 <= uniform <= 1` must hold, but got {self.uniform}")
        if not 0.0 < self.reach <= 1.0:
            raise ValueError(f"`0 < reach <= 1` must hold, but got {self.reach}")
        if self.parts < 1:
            raise ValueError(f"`parts >= 1` must hold, but got {self.parts}")

    @property
    def needs(self) -> frozenset[Need]:
        return frozenset({"regret"})

    def begin(self, space: EnvSpace) -> Stand:
        full = space.full()
        if neighbourhood(space, full.sample(np.random.default_rng(0)), 0.0) == full:
            raise ValueError(
                "population_regret moves towards single levels, so the env space must have a knob "
                f"that can vary, but got the knobs {list(space.names)}"
            )
        return Stand(space.initial())

    def observe(self, stand: Stand, seen: Seen) -> Stand:
        """With the regrets of this boundary, where there was one."""
        if not seen.regrets:
            return stand
        positive = [(level, regret) for level, regret in seen.regrets if regret > 0.0]
        highest = sorted(positive, key=lambda pair: -pair[1])[: self.parts]
        kept = [{"level": level, "regret": regret} for level, regret in highest]
        return Stand(stand.distribution, {"regrets": kept})

    def move(self, stand: Stand, rng: np.random.Generator) -> Move | None:
        """To the levels of the highest regret, if they are not what is drawn already."""
        del rng
        regrets = stand.state.get("regrets")
        if not regrets:
            return None
        towards = self._towards(stand.distribution.space, regrets)
        if towards == stand.distribution:
            return None
        return Move(Stand(towards, stand.state), _highest(stand))

    def outlook(self, stand: Stand) -> Outlook:
        if "regrets" not in stand.state:
            return Outlook("moves once members were compared")
        if not stand.state["regrets"]:
            return Outlook("stays: best member on every level")
        return Outlook(_highest(stand))

    def _towards(self, space: EnvSpace, regrets: list[Mapping[str, Any]]) -> Distribution:
        shares = Weights(tuple(each["regret"] for each in regrets)).weights
        parts: list[tuple[float, Distribution]] = [(self.uniform, space.full())]
        for each, share in zip(regrets, shares, strict=True):
            near = neighbourhood(space, each["level"], self.reach)
            parts.append(((1.0 - self.uniform) * share, near))
        return Mixture(tuple(parts))


def _highest(stand: Stand) -> str:
    first = stand.state["regrets"][0]
    place = neighbourhood(stand.distribution.space, first["level"], 0.0).picture()
    return f"regret {short(first['regret'])} at most, on {place}"
