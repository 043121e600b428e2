"""Sampling for Learnability: what is neither mastered nor out of reach (arXiv 2408.15099)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from orchestrator.curricula.base import Curriculum, Move, Need, Outlook, Seen, Stand, State
from orchestrator.curricula.buffer import visits
from orchestrator.curricula.level_scores import RULES
from orchestrator.distributions import Distribution, EnvSpace, Level, Levels, Mixture

__all__ = ["Learnability"]


@dataclass(frozen=True)
class Learnability(Curriculum):
    """Now and then rolls out random levels without gradient, and trains on the best of them.

    The score is p(1 - p), with p the rate of success over a level's rollouts. The highest are
    kept until the next time, and drawn alike; the rest of the training is on the full legal
    range. Levels that score 0, always or never solved, are not kept even if there is room.

    The state: ``due`` (iterations until levels are rolled out again), ``levels`` (those kept, as
    canonical texts, the best first), ``scores`` (of them), ``said`` (episodes of the last
    rollouts that said whether they succeeded; None before any).

    Attributes:
        candidates: random levels that are rolled out each time.
        rollouts: episodes on each of them.
        keep: levels that are kept at most.
        every: iterations from one time to the next.
        share: of the training that is on kept levels.
    """

    candidates: int = 128
    rollouts: int = 4
    keep: int = 32
    every: int = 16
    share: float = 0.5

    def __post_init__(self) -> None:
        if self.rollouts < 2:
            raise ValueError(
                f"`rollouts >= 2` must hold, but got {self.rollouts}: after one episode, a level "
                "was always solved or never"
            )
        if self.every < 1:
            raise ValueError(f"`every >= 1` must hold, but got {self.every}")
        if not 1 <= self.keep <= self.candidates:
            raise ValueError(
                f"`1 <= keep <= candidates` must hold, but got keep={self.keep}, "
                f"candidates={self.candidates}"
            )
        if not 0 < self.share <= 1:
            raise ValueError(f"`0 < share <= 1` must hold, but got {self.share}")

    @property
    def needs(self) -> frozenset[Need]:
        return frozenset({"episodes", "success", "rollouts"})

    def begin(self, space: EnvSpace) -> Stand:
        return Stand(space.full(), {"due": 0, "levels": [], "scores": [], "said": None})

    def probes(self, stand: Stand, rng: np.random.Generator) -> Sequence[Level]:
        """Each candidate `rollouts` times in a row, when they are due."""
        if stand.state["due"] > 0:
            return ()
        full = stand.distribution.space.full()
        candidates = [full.sample(rng) for _ in range(self.candidates)]
        return [candidate for candidate in candidates for _ in range(self.rollouts)]

    def observe(self, stand: Stand, seen: Seen) -> Stand:
        """The rollouts' best, if there were any; else one iteration nearer to the next."""
        rollouts = [each for each in seen.outcomes if not each.trained]
        if not rollouts:
            return Stand(stand.distribution, _nearer(stand.state))
        rule = RULES["learnability"]
        scored: dict[str, float] = {}
        for visit in visits(stand.distribution.space, rollouts):
            score = rule.score(rule.remembered((), visit.outcomes), visit.outcomes)
            if score:
                scored[visit.level] = score
        best = sorted(scored, key=lambda level: -scored[level])[: self.keep]
        state = {
            "due": self.every - 1,
            "levels": best,
            "scores": [scored[level] for level in best],
            "said": sum(each.success is not None for each in rollouts),
        }
        return Stand(stand.distribution, state)

    def move(self, stand: Stand, rng: np.random.Generator) -> Move | None:
        """The kept levels beside the full range; that alone if there are none."""
        del rng
        space, levels = stand.distribution.space, stand.state["levels"]
        following: Distribution = space.full()
        if levels:
            kept = Levels(space, tuple(json.loads(each) for each in levels), (1.0,) * len(levels))
            parts = ((self.share, kept), (1 - self.share, following))
            following = Mixture(parts) if self.share < 1 else kept
        if following == stand.distribution:
            return None
        return Move(Stand(following, stand.state), _kept(stand.state))

    def outlook(self, stand: Stand) -> Outlook:
        """When levels are rolled out next, and what came of the last time."""
        due, said = stand.state["due"], stand.state["said"]
        text = f"rolls out {self.candidates} new levels " + (
            f"after {due} iteration{'s' if due > 1 else ''}" if due else "before the next iteration"
        )
        if said is None:
            return Outlook(text)
        if said == 0:
            return Outlook(f"{text}: no episode said whether it succeeded", waits=True)
        return Outlook(f"{text}; {_kept(stand.state)}", waits=not stand.state["levels"])


def _kept(state: State) -> str:
    if not state["levels"]:
        return "no level was solved now and then"
    return f"{len(state['levels'])} levels kept, best learnability {state['scores'][0]:.3g}"


def _nearer(state: State) -> State:
    return {**state, "due": max(0, state["due"] - 1)}
