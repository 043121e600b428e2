"""Knobs with a number for a value: continuous and integer, on a linear or a log scale."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np

from orchestrator.checks import JsonObject, fields, nearest, number
from orchestrator.knob import Knob, edit_size
from orchestrator.marginals import Marginal, Range
from orchestrator.pictures import span

__all__ = ["LARGEST_INTEGER", "Continuous", "Integer", "Numeric", "Scale"]

Scale = Literal["linear", "log"]

LARGEST_INTEGER = 2**40
"""Bound of integer knobs: up to here unit space tells neighbours apart, on both scales."""

_ROUNDING = 1e-9
"""Tolerance of `within`, as a share of the legal width."""


@dataclass(frozen=True)
class Numeric(Knob):
    """What continuous and integer knobs share: bounds, a scale, and unit space.

    Unit space is the position in the legal range on the knob's scale: 0 at `low`, 1 at `high`.
    """

    low: float
    high: float
    scale: Scale = "linear"

    def __post_init__(self) -> None:
        low, high = self._number("low", self.low), self._number("high", self.high)
        if self.scale not in ("linear", "log"):
            raise ValueError(f"`scale` must be 'linear' or 'log', but got {self.scale!r}")
        if low > high:
            raise ValueError(f"`low <= high` must hold, but got low={low}, high={high}")
        if self.scale == "log" and low <= 0:
            raise ValueError(f"`low > 0` must hold on a log scale, but got low={low}")
        if not math.isfinite(high - low):
            raise ValueError(f"`high - low` must be finite, but got low={low}, high={high}")
        object.__setattr__(self, "low", low)
        object.__setattr__(self, "high", high)

    @abstractmethod
    def _round(self, value: float) -> float:
        """`value`, which is inside the bounds, in the knob's own type."""

    @abstractmethod
    def _number(self, name: str, value: object) -> float:
        """`value` in the knob's own type; ``ValueError`` if it is of another type."""

    @abstractmethod
    def moved(self, value: float, delta: float) -> float:
        """`value` moved by `delta` in unit space and clipped into the legal range.

        An integer moves by at least one if `delta` is not zero and there is room.
        """

    def to_unit(self, value: float) -> float:
        """The position of a legal value in the legal range, in [0, 1]; 0 if that is one point.

        Raises:
            ValueError: if `value` is not legal.
        """
        plain = self.cast(value)
        if self.low == self.high:
            return 0.0
        if self.scale == "linear":
            unit = (plain - self.low) / (self.high - self.low)
        else:
            origin = math.log(self.low)
            width = math.log(self.high) - origin
            unit = (math.log(plain) - origin) / width if width > 0 else 0.0
        return float(min(max(unit, 0.0), 1.0))

    def from_unit(self, unit: float) -> float:
        """The value at a position of the legal range; positions outside [0, 1] are clipped.

        Raises:
            ValueError: if `unit` is no finite number.
        """
        position = number("unit", unit)
        if position <= 0:
            return self.low
        if position >= 1:
            return self.high
        if self.scale == "linear":
            value = self.low + position * (self.high - self.low)
        else:
            origin = math.log(self.low)
            value = math.exp(origin + position * (math.log(self.high) - origin))
        return self._round(min(max(value, self.low), self.high))

    def full(self) -> Range:
        return Range(self.low, self.high)

    def cast(self, value: object) -> Any:
        plain = self._number("value", value)
        if not self.low <= plain <= self.high:
            raise ValueError(f"must be from {self.low} to {self.high}, but got {plain}")
        return plain

    def edited(self, value: Any, rng: np.random.Generator) -> Any:
        """Moved in unit space, to a side that is drawn, or the other one if that has no room."""
        here = self.cast(value)
        delta = edit_size(rng) if rng.random() < 0.5 else -edit_size(rng)
        for there in (self.moved(here, delta), self.moved(here, -delta)):
            if there != here:
                return there
        # Neighbouring floats are nearer to each other than a move can be told from none.
        return self.high if here == self.low else self.low

    def within(self, marginal: Marginal, value: object) -> bool:
        if not isinstance(marginal, Range):
            raise self._alien(marginal, Range)
        if not self.legal(value):
            return False
        slack = _ROUNDING * (self.high - self.low) if isinstance(self.low, float) else 0
        return bool(marginal.low - slack <= self.cast(value) <= marginal.high + slack)

    def fit(self, marginal: Marginal) -> Range:
        if not isinstance(marginal, Range):
            raise self._alien(marginal, Range)
        low, high = (min(max(end, self.low), self.high) for end in (marginal.low, marginal.high))
        return Range(self._round(low), self._round(high))

    def check(self, marginal: Marginal) -> Range:
        if not isinstance(marginal, Range):
            raise self._alien(marginal, Range)
        for name, end in (("low", marginal.low), ("high", marginal.high)):
            plain = self._number(name, end)
            if not self.low <= plain <= self.high:
                raise ValueError(f"`{name}` must be from {self.low} to {self.high}, but got {end}")
        return self.fit(marginal)

    def marginal_to_json(self, marginal: Marginal) -> JsonObject:
        own = self.fit(marginal)
        return {"low": own.low, "high": own.high}

    def marginal_from_json(self, data: object) -> Range:
        found = fields("a range", data, ("low", "high"))
        return self.check(Range(found["low"], found["high"]))

    def to_json(self) -> JsonObject:
        return {"kind": self.kind, "low": self.low, "high": self.high, "scale": self.scale}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        found = fields(f"a knob of kind {cls.kind!r}", data, ("low", "high", "scale"))
        if found["scale"] not in ("linear", "log"):
            hint = nearest(found["scale"], ("linear", "log"))
            raise ValueError(f"`scale` must be linear or log, but got {found['scale']!r}{hint}")
        return cls(found["low"], found["high"], found["scale"])

    def picture(self, marginal: Marginal) -> str:
        own = self.fit(marginal)
        return span(own.low, own.high)


@dataclass(frozen=True)
class Continuous(Numeric):
    """A real number from `low` to `high`, both included.

    Raises:
        ValueError: if the bounds are not finite, not ordered, or not positive on a log scale.
    """

    kind: ClassVar[str] = "continuous"
    low: float
    high: float
    scale: Scale = "linear"

    def sample(self, marginal: Marginal, rng: np.random.Generator) -> float:
        if not isinstance(marginal, Range):
            raise self._alien(marginal, Range)
        low, high = marginal.low, marginal.high
        if self.scale == "linear":
            value = low + rng.random() * (high - low)
        else:
            origin = math.log(low)
            value = math.exp(origin + rng.random() * (math.log(high) - origin))
        return min(max(value, low), high)

    def moved(self, value: float, delta: float) -> float:
        return self.from_unit(self.to_unit(value) + delta) if delta else value

    def _round(self, value: float) -> float:
        return float(value)

    def _number(self, name: str, value: object) -> float:
        return float(number(name, value))


@dataclass(frozen=True)
class Integer(Numeric):
    """A whole number from `low` to `high`, both included, at most ``2**40`` away from zero.

    On a log scale, k is as likely as a log-uniform number that rounds to k.

    Raises:
        ValueError: if the bounds are not whole, not ordered, or not positive on a log scale.
    """

    kind: ClassVar[str] = "integer"
    low: int
    high: int
    scale: Scale = "linear"

    def __post_init__(self) -> None:
        super().__post_init__()
        if max(abs(self.low), abs(self.high)) > LARGEST_INTEGER:
            raise ValueError(
                f"an integer knob must stay within ±{LARGEST_INTEGER}, "
                f"but got low={self.low}, high={self.high}"
            )

    def sample(self, marginal: Marginal, rng: np.random.Generator) -> int:
        if not isinstance(marginal, Range):
            raise self._alien(marginal, Range)
        low, high = int(marginal.low), int(marginal.high)
        if self.scale == "linear":
            value = low + int(rng.random() * (high - low + 1))
        else:
            # Half a step beyond both ends, so that the ends get their whole share.
            origin = math.log(low - 0.5)
            drawn = math.exp(origin + rng.random() * (math.log(high + 0.5) - origin))
            value = int(drawn + 0.5)
        return min(max(value, low), high)

    def moved(self, value: float, delta: float) -> int:
        here = int(self.cast(value))
        if not delta:
            return here
        if self.scale == "linear":
            # The same whole step from everywhere, so that a shifted range keeps its width.
            size = max(1, math.floor(abs(delta) * (self.high - self.low) + 0.5))
            there = here + (size if delta > 0 else -size)
        else:
            there = int(self.from_unit(self.to_unit(here) + delta))
            if there == here:
                there += 1 if delta > 0 else -1
        return min(max(there, self.low), self.high)

    def _round(self, value: float) -> int:
        return math.floor(value + 0.5)

    def _number(self, name: str, value: object) -> int:
        plain = number(name, value)
        if isinstance(plain, float):
            raise ValueError(f"`{name}` must be a whole number, but got {value!r}")
        return plain
