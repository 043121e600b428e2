"""Curricula: what decides a member's next env distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from orchestrator.distributions import Distribution, EnvSpace, Levels, Mixture, Product
from orchestrator.knobs import Blend, Knob, Marginal, Numeric, Range, Weights
from orchestrator.operators import OPERATORS, widen

# Weights only ever approach uniform; a hundredth of the mass from it counts as there.
_UNIFORM = 0.01
# Rounding leaves a range this short of its legal end, as a share of the legal width.
_SLIVER = 1e-6


@dataclass(frozen=True)
class Progress:
    """How a member did on its present revision, in training.

    Attributes:
        episodes: finished episodes that were played on it.
        mean_return: their mean return; None without any.
    """

    episodes: int = 0
    mean_return: float | None = None

    def after(self, played: Mapping[str, float] | None) -> Progress:
        """Progress with the ``{"episodes": n, "return": mean}`` of one more iteration."""
        if not played or not played["episodes"]:
            return self
        episodes = self.episodes + int(played["episodes"])
        before = 0.0 if self.mean_return is None else self.mean_return * self.episodes
        return Progress(episodes, (before + played["return"] * played["episodes"]) / episodes)


@dataclass(frozen=True)
class Change:
    """A new distribution and the reason for it, in words."""

    distribution: Distribution
    why: str


class Curriculum(Protocol):
    """Decides on the driver: at exploits (by the scheduler) and between iterations."""

    def start(self, space: EnvSpace) -> Distribution:
        """Every member's first distribution, unless another is drawn."""
        ...

    @property
    def draws_start(self) -> bool:
        """Whether members may begin with distributions of their own."""
        ...

    def at_exploit(self, donors: Distribution, rng: np.random.Generator) -> Change:
        """The distribution of a member that has just copied a donor."""
        ...

    def between(self, present: Distribution, progress: Progress) -> Change | None:
        """A change that the member's training return has earned, or None."""
        ...

    def next_move(self, present: Distribution, progress: Progress) -> str:
        """One line: how far the next change by `between` is."""
        ...


@dataclass(frozen=True)
class Fixed:
    """The start distribution, never changed."""

    draws_start: bool = False

    def start(self, space: EnvSpace) -> Distribution:
        """The knobs' start ranges; the legal range where none is given."""
        return space.initial()

    def at_exploit(self, donors: Distribution, rng: np.random.Generator) -> Change:
        """The donor's, which is everybody's."""
        return Change(donors, "fixed")

    def between(self, present: Distribution, progress: Progress) -> Change | None:
        """Never a change."""
        return None

    def next_move(self, present: Distribution, progress: Progress) -> str:
        """Says that nothing will move."""
        return "fixed"


@dataclass(frozen=True)
class DomainRandomization(Fixed):
    """The whole legal range, uniform, never changed (Tobin et al. 2017)."""

    def start(self, space: EnvSpace) -> Distribution:
        """The legal ranges, whatever the knobs' start ranges are."""
        return space.full()


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
class Evolving:
    """``kind: population``: distributions mutate at exploits and may widen in between.

    Attributes:
        operators: names of the mutation operators; one is drawn at each exploit.
        amount: how far an operator goes, as a share of the legal width.
        widen: the rule for widening, or None.
    """

    operators: tuple[str, ...] = tuple(OPERATORS)
    amount: float = 0.1
    widen: Widen | None = None
    draws_start: bool = True

    def __post_init__(self) -> None:
        unknown = [name for name in self.operators if name not in OPERATORS]
        if unknown or not self.operators:
            raise ValueError(
                f"`operators` must be one or more of {list(OPERATORS)}, got {self.operators}"
            )
        if not 0.0 <= self.amount <= 1.0:
            raise ValueError(f"`0 <= amount <= 1` must hold, but got {self.amount}")

    def start(self, space: EnvSpace) -> Distribution:
        """The knobs' start ranges; the legal range where none is given."""
        return space.initial()

    def at_exploit(self, donors: Distribution, rng: np.random.Generator) -> Change:
        """The donor's distribution, moved by one operator drawn at random."""
        name = self.operators[int(rng.integers(len(self.operators)))]
        return Change(OPERATORS[name](donors, rng, self.amount), name)

    def between(self, present: Distribution, progress: Progress) -> Change | None:
        """The present distribution widened, once the return on it is high enough."""
        if self.widen is None or not self._earned(self.widen, progress):
            return None
        if _as_wide_as_legal(present):
            return None
        wider = _widened(present, self.widen.by)
        return Change(wider, f"widen: {_counted(self.widen, progress)}")

    def next_move(self, present: Distribution, progress: Progress) -> str:
        """How far the next widening is, or why there will be none."""
        if self.widen is None:
            return "moves at exploits"
        if _as_wide_as_legal(present):
            return "as wide as is legal"
        return f"widens at {_counted(self.widen, progress)}"

    @staticmethod
    def _earned(rule: Widen, progress: Progress) -> bool:
        return (
            progress.mean_return is not None
            and progress.episodes >= rule.min_episodes
            and progress.mean_return >= rule.above
        )


def _counted(rule: Widen, progress: Progress) -> str:
    mean = "–" if progress.mean_return is None else f"{progress.mean_return:.3g}"
    return (
        f"return {mean} of {rule.above:.3g} over {progress.episodes} of "
        f"{rule.min_episodes} episodes"
    )


def _widened(present: Distribution, by: float) -> Distribution:
    # Widening draws nothing; the operators share one signature.
    return widen(present, np.random.default_rng(0), by)


def _as_wide_as_legal(present: Distribution) -> bool:
    """Whether widening would change nothing but roundings."""
    widest = _widened(present, 1.0)
    if isinstance(present, Levels) and isinstance(widest, Levels):
        return _apart(present.weights, widest.weights) <= _UNIFORM
    pairs = zip(_products(present), _products(widest), strict=True)
    return all(
        _near(knob, one.marginals[name], other.marginals[name])
        for one, other in pairs
        for name, knob in one.space.knobs.items()
    )


def _products(distribution: Distribution) -> tuple[Product, ...]:
    if isinstance(distribution, Product):
        return (distribution,)
    if isinstance(distribution, Mixture):
        return tuple(product for _, product in distribution.parts)
    raise TypeError(f"{type(distribution).__name__} cannot be widened")


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
