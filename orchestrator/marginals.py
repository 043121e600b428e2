"""How one knob is drawn: a range, weights over choices, or a blend of terms.

A marginal is valid in itself; whether it lies in a knob's legal range is the knob's to say.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate

from orchestrator.checks import number

__all__ = ["Blend", "Marginal", "Range", "Weights", "normalised"]

_EXACT = 1e-12
"""Weights whose sum is this near to one are left as they are, so that normalising is idempotent."""


@dataclass(frozen=True)
class Range:
    """Uniform from `low` to `high`, both included, on the scale of the knob; may be one point.

    Raises:
        ValueError: if a bound is no finite number or `low > high`.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        low, high = number("low", self.low), number("high", self.high)
        if low > high:
            raise ValueError(f"`low <= high` must hold, but got low={low}, high={high}")
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)


@dataclass(frozen=True)
class Weights:
    """Probabilities of the entries of a list, in its order.

    Relative weights may be given; `weights` always sums to one.

    Raises:
        ValueError: if there are none, one is negative or not finite, or all are zero.
    """

    weights: tuple[float, ...]
    _cumulative: tuple[float, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        weights = normalised("weights", self.weights)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "_cumulative", tuple(accumulate(weights)))

    def index(self, position: float) -> int:
        """The index at `position` in [0, 1) of the stacked weights; never one of weight zero."""
        index = bisect_right(self._cumulative, position)
        if index < len(self.weights):
            return index
        # The stack may end just below one, by rounding.
        return max(index for index, weight in enumerate(self.weights) if weight > 0)


@dataclass(frozen=True)
class Blend:
    """A point of a simplex: ``(1 - spread) * center + spread * Dirichlet(1, ..., 1)``.

    `center` has a weight for each term, in the knob's order, and always sums to one; `spread` 0
    is the center alone, 1 is the whole simplex.

    Raises:
        ValueError: if `center` is no list of weights or `spread` is outside [0, 1].
    """

    center: tuple[float, ...]
    spread: float

    def __post_init__(self) -> None:
        spread = float(number("spread", self.spread))
        if not 0 <= spread <= 1:
            raise ValueError(f"`0 <= spread <= 1` must hold, but got spread={spread}")
        object.__setattr__(self, "center", normalised("center", self.center))
        object.__setattr__(self, "spread", spread)


Marginal = Range | Weights | Blend


def normalised(name: str, weights: object) -> tuple[float, ...]:
    """`weights` divided by their sum; returned as they are if they sum to one already.

    Raises:
        ValueError: if there are none, one is negative or not finite, or all are zero.
    """
    plain = _weights(name, weights)
    largest = max(plain, default=0.0)
    if largest <= 0:
        raise ValueError(f"at least one of `{name}` must be above zero, but got {list(plain)}")
    if largest <= 2 and abs(math.fsum(plain) - 1) <= _EXACT:
        return plain
    # Divided by the largest first: the sum of finite weights may be infinite.
    scaled = [weight / largest for weight in plain]
    total = math.fsum(scaled)
    return tuple(weight / total for weight in scaled)


def _weights(name: str, weights: object) -> tuple[float, ...]:
    if isinstance(weights, str) or not isinstance(weights, Iterable):
        raise ValueError(f"`{name}` must be a list of weights, but got {weights!r}")
    plain = tuple(float(number(f"{name}[{i}]", each)) for i, each in enumerate(weights))
    for index, weight in enumerate(plain):
        if weight < 0:
            raise ValueError(f"`{name}[{index}] >= 0` must hold, but got {weight}")
    return plain
