"""``kind: population``: distributions mutate at exploits, and widen where returns allow it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from orchestrator.curricula.base import Curriculum, Move, Outlook, Owner, Seen, Stand
from orchestrator.curricula.tally import Tally
from orchestrator.distributions import Distribution, EnvSpace, Levels, Mixture, Product
from orchestrator.knobs import Blend, Knob, Marginal, Numeric, Range, Weights
from orchestrator.marginal_moves import smoothed, widened
from orchestrator.operators import OPERATORS, widen

# Weights only ever approach uniform; a hundredth of the mass from it counts as there.
_UNIFORM = 0.01
# Rounding leaves a range this short of its legal end, as a share of the legal width.
_SLIVER = 1e-6


@dataclass(frozen=True)
class Widen:
    """Widen every range once the return on the present revision is good enough.

    Attributes:
        above: mean training return that must be reached.
        by: share of the legal width by which each end moves outward.
        min_episodes: episodes that must have been played on the revision.
    """

    above: float
    by: float = 0.1
    min_episodes: int = 20

    def __post_init__(self) -> None:
        if not 0.0 < self.by <= 1.0:
            raise ValueError(f"`0 < by <= 1` must hold, but got {self.by}")
        if self.min_episodes < 1:
            raise ValueError(f"`min_episodes >= 1` must hold, but got {self.min_episodes}")


@dataclass(frozen=True)
class Evolving(Curriculum):
    """A loser's distribution is a mutated copy of its donor's; ranges may widen in between.

    The state is a `Tally` of the returns on the present revision.

    Attributes:
        operators: names of the mutation operators; one is drawn at each exploit.
        amount: how far an operator goes, as a share of the legal width.
        widen: the rule for widening, or None.
    """

    owner: ClassVar[Owner] = "driver"
    draws_start: ClassVar[bool] = True

    operators: tuple[str, ...] = tuple(OPERATORS)
    amount: float = 0.1
    widen: Widen | None = None

    def __post_init__(self) -> None:
        unknown = [name for name in self.operators if name not in OPERATORS]
        if unknown or not self.operators:
            raise ValueError(
                f"`operators` must be one or more of {list(OPERATORS)}, got {self.operators}"
            )
        if not 0.0 <= self.amount <= 1.0:
            raise ValueError(f"`0 <= amount <= 1` must hold, but got {self.amount}")

    def begin(self, space: EnvSpace) -> Stand:
        return Stand(space.initial())

    def observe(self, stand: Stand, seen: Seen) -> Stand:
        tally = Tally.from_json(stand.state).plus(seen.episodes, seen.mean_return)
        return Stand(stand.distribution, tally.to_json())

    def move(self, stand: Stand, rng: np.random.Generator) -> Move | None:
        """Widened, once the return on the present revision is high enough."""
        rule, tally = self.widen, Tally.from_json(stand.state)
        if rule is None or not tally.reaches(rule.above, rule.min_episodes):
            return None
        if _as_wide_as_legal(stand.distribution):
            return None
        # Widening draws nothing; the operators share one signature.
        wider = widen(stand.distribution, rng, rule.by)
        return Move(Stand(wider), f"widen: {tally.of('return', rule.above, rule.min_episodes)}")

    def copied(self, donor: Stand, rng: np.random.Generator) -> Move:
        """The donor's distribution, moved by one operator drawn at random."""
        name = self.operators[int(rng.integers(len(self.operators)))]
        return Move(Stand(OPERATORS[name](donor.distribution, rng, self.amount)), name)

    def outlook(self, stand: Stand) -> Outlook:
        if self.widen is None:
            return Outlook("moves at exploits")
        if _as_wide_as_legal(stand.distribution):
            return Outlook("as wide as is legal")
        tally = Tally.from_json(stand.state)
        rule = self.widen
        return Outlook(f"widens at {tally.of('return', rule.above, rule.min_episodes)}", waits=True)


def _as_wide_as_legal(present: Distribution) -> bool:
    """Whether widening would change nothing but roundings.

    Asked at every boundary: part by part, since to make the widest distribution checks all of it.
    """
    if isinstance(present, Mixture):
        return all(_as_wide_as_legal(part) for _, part in present.parts)
    if isinstance(present, Levels):
        return _apart(present.weights, smoothed(present.weights, 1.0)) <= _UNIFORM
    assert isinstance(present, Product)
    return all(
        _near(knob, present.marginals[name], widened(knob, present.marginals[name], 1.0))
        for name, knob in present.space.knobs.items()
    )


def _near(knob: Knob, one: Marginal, other: Marginal) -> bool:
    if isinstance(one, Range) and isinstance(other, Range) and isinstance(knob, Numeric):
        ends = ((one.low, other.low), (one.high, other.high))
        return all(abs(knob.to_unit(a) - knob.to_unit(b)) <= _SLIVER for a, b in ends)
    if isinstance(one, Weights) and isinstance(other, Weights):
        return _apart(one.weights, other.weights) <= _UNIFORM
    if isinstance(one, Blend) and isinstance(other, Blend):
        return abs(one.spread - other.spread) <= _SLIVER
    return one == other


def _apart(one: Sequence[float], other: Sequence[float]) -> float:
    """Total variation between two lists of weights, in [0, 1]."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / 2
