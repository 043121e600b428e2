"""Knobs with no order: one of several values, or weights of several terms."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

import numpy as np

from orchestrator.checks import JsonObject, fields, number, words
from orchestrator.frozen import freeze, text, thaw
from orchestrator.knob import Knob, edit_size
from orchestrator.marginals import Blend, Marginal, Weights
from orchestrator.pictures import label, percent, short

__all__ = ["Choice", "Simplex"]

_ROUNDING = 1e-9
"""How far weights of terms may be off by rounding."""

_BELOW_ONE = 1 - 2**-53
"""The largest float below one: keeps an exponential draw above zero, so that a sum of them is."""


@dataclass(frozen=True)
class Choice(Knob):
    """One of `values`: JSON scalars, or lists of them. Types count: True, 1 and 1.0 differ.

    Lists are kept as tuples and drawn as new lists.

    Raises:
        ValueError: if there are no values, two are the same, or one is no such JSON value.
    """

    kind: ClassVar[str] = "choice"
    values: tuple[Any, ...] = field(compare=False)
    _texts: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.values, str | Mapping) or not isinstance(self.values, Iterable):
            raise ValueError(f"`values` must be a list, but got {self.values!r}")
        values = tuple(freeze(value) for value in self.values)
        if not values:
            raise ValueError("`values` must have at least one entry, but got none")
        for value in values:
            if _has_mapping(value):
                raise ValueError(
                    "each of `values` must be a JSON scalar or a list of them, but got "
                    f"{thaw(value)!r}; name such a preset by a string that the env looks up"
                )
        texts = tuple(text(value) for value in values)
        for index, each in enumerate(texts):
            if each in texts[:index]:
                raise ValueError(f"`values` must be unique, but {each} is there more than once")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "_texts", texts)

    def full(self) -> Weights:
        return Weights((1 / len(self.values),) * len(self.values))

    def sample(self, marginal: Marginal, rng: np.random.Generator) -> Any:
        if not isinstance(marginal, Weights):
            raise self._alien(marginal, Weights)
        value = self.values[marginal.index(rng.random())]
        return thaw(value) if isinstance(value, tuple) else value

    def cast(self, value: object) -> Any:
        return thaw(self.values[self._index(value)])

    def edited(self, value: Any, rng: np.random.Generator) -> Any:
        """One of the other values, each as likely."""
        here = self._index(value)
        if len(self.values) == 1:
            return thaw(self.values[here])
        step = 1 + int(rng.integers(len(self.values) - 1))
        return thaw(self.values[(here + step) % len(self.values)])

    def within(self, marginal: Marginal, value: object) -> bool:
        own = self.fit(marginal)
        return self.legal(value) and own.weights[self._index(value)] > 0

    def fit(self, marginal: Marginal) -> Weights:
        if not isinstance(marginal, Weights):
            raise self._alien(marginal, Weights)
        if len(marginal.weights) != len(self.values):
            raise ValueError(
                f"`weights` must have one entry for each of the {len(self.values)} values, "
                f"but got {len(marginal.weights)}"
            )
        return marginal

    def check(self, marginal: Marginal) -> Weights:
        return self.fit(marginal)

    def marginal_to_json(self, marginal: Marginal) -> JsonObject:
        return {"weights": list(self.fit(marginal).weights)}

    def marginal_from_json(self, data: object) -> Weights:
        return self.check(Weights(fields("a choice's weighting", data, ("weights",))["weights"]))

    def to_json(self) -> JsonObject:
        return {"kind": self.kind, "values": thaw(self.values)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(fields(f"a knob of kind {cls.kind!r}", data, ("values",))["values"])

    def picture(self, marginal: Marginal) -> str:
        weights = self.fit(marginal).weights
        shown = [
            f"{label(thaw(value))} {percent(weight)}"
            for value, weight in zip(self.values, weights, strict=True)
            if weight > 0
        ]
        return " ".join(shown)

    def _index(self, value: object) -> int:
        try:
            return self._texts.index(text(value))
        except ValueError:
            known = ", ".join(self._texts)
            raise ValueError(f"must be one of {known}, but got {value!r}") from None


@dataclass(frozen=True)
class Simplex(Knob):
    """Weights of named `terms`, not negative and summing to one, such as those of a reward.

    A value is a dict from each term to its weight.

    Raises:
        ValueError: if there are fewer than two terms, or they are not unique names.
    """

    kind: ClassVar[str] = "simplex"
    terms: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", words("terms", self.terms, at_least=2))

    def full(self) -> Blend:
        return Blend((1 / len(self.terms),) * len(self.terms), 1.0)

    def sample(self, marginal: Marginal, rng: np.random.Generator) -> dict[str, float]:
        if not isinstance(marginal, Blend):
            raise self._alien(marginal, Blend)
        spread, center = marginal.spread, marginal.center
        if spread == 0:
            return dict(zip(self.terms, center, strict=True))
        # Normalised exponentials are Dirichlet(1, ..., 1).
        draws = [-math.log(_BELOW_ONE * (1 - rng.random())) for _ in center]
        share, rest = spread / math.fsum(draws), 1 - spread
        return {
            term: rest * middle + share * draw
            for term, middle, draw in zip(self.terms, center, draws, strict=True)
        }

    def cast(self, value: object) -> dict[str, float]:
        found = fields("a value", value, self.terms)
        weights = {term: float(number(term, found[term])) for term in self.terms}
        total = math.fsum(weights.values())
        if min(weights.values()) < 0 or abs(total - 1) > _ROUNDING:
            raise ValueError(f"must be weights >= 0 that sum to one, but got {weights}")
        return weights

    def edited(self, value: Any, rng: np.random.Generator) -> dict[str, float]:
        """Moved straight towards one term alone, drawn among those that are not all there is."""
        here = self.cast(value)
        others = [term for term in self.terms if here[term] < 1]
        towards, share = others[int(rng.integers(len(others)))], edit_size(rng)
        return {
            term: (1 - share) * weight + (share if term == towards else 0.0)
            for term, weight in here.items()
        }

    def within(self, marginal: Marginal, value: object) -> bool:
        own = self.fit(marginal)
        if not self.legal(value):
            return False
        # Exactly the points that are at least `(1 - spread) * center` in every term.
        weights, rest = self.cast(value), 1 - own.spread
        return all(
            weights[term] >= rest * middle - _ROUNDING
            for term, middle in zip(self.terms, own.center, strict=True)
        )

    def fit(self, marginal: Marginal) -> Blend:
        if not isinstance(marginal, Blend):
            raise self._alien(marginal, Blend)
        if len(marginal.center) != len(self.terms):
            raise ValueError(
                f"`center` must have one weight for each of the {len(self.terms)} terms, "
                f"but got {len(marginal.center)}"
            )
        return marginal

    def check(self, marginal: Marginal) -> Blend:
        return self.fit(marginal)

    def marginal_to_json(self, marginal: Marginal) -> JsonObject:
        own = self.fit(marginal)
        return {"center": dict(zip(self.terms, own.center, strict=True)), "spread": own.spread}

    def marginal_from_json(self, data: object) -> Blend:
        found = fields("a blend", data, ("center", "spread"))
        center = fields("`center`", found["center"], self.terms)
        return self.check(Blend(tuple(center[term] for term in self.terms), found["spread"]))

    def to_json(self) -> JsonObject:
        return {"kind": self.kind, "terms": list(self.terms)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(fields(f"a knob of kind {cls.kind!r}", data, ("terms",))["terms"])

    def picture(self, marginal: Marginal) -> str:
        own = self.fit(marginal)
        center = [
            f"{label(term)} {short(weight)}"
            for term, weight in zip(self.terms, own.center, strict=True)
        ]
        return " ".join([*center, f"±{short(own.spread)}"])


def _has_mapping(value: object) -> bool:
    if isinstance(value, tuple):
        return any(_has_mapping(each) for each in value)
    return isinstance(value, Mapping)
