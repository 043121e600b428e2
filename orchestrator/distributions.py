"""Env distributions: `Product`, `Mixture` of products, `Levels` (a weighted buffer)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from orchestrator.checks import JsonObject, fields, naming, nearest, number
from orchestrator.env_space import Distribution, EnvSpace, Level, Product
from orchestrator.frozen import FrozenMap, freeze, text, thaw
from orchestrator.knobs import Numeric, Weights
from orchestrator.pictures import percent, span

__all__ = [
    "Distribution",
    "EnvSpace",
    "Level",
    "Levels",
    "Mixture",
    "Product",
    "distribution_from_json",
]


@dataclass(frozen=True)
class Mixture(Distribution):
    """Products over one space, each with the probability that a level is drawn from it.

    Relative weights may be given; those of `parts` always sum to one.

    Raises:
        ValueError: if there are no parts, their spaces differ, or the weights are none.
    """

    kind: ClassVar[str] = "mixture"
    parts: tuple[tuple[float, Product], ...]
    space: EnvSpace = field(init=False, repr=False, compare=False)
    _weights: Weights = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("a mixture must have at least one part, but got none")
        products = tuple(product for _, product in self.parts)
        for index, product in enumerate(products):
            if not isinstance(product, Product):
                raise ValueError(f"each part of a mixture must be a Product, but got {product!r}")
            if product.space != products[0].space:
                raise ValueError(
                    f"the parts of a mixture must share one env space, but part {index} has the "
                    f"knobs {list(product.space.names)}, part 0 {list(products[0].space.names)}"
                )
        weights = Weights(tuple(weight for weight, _ in self.parts))
        object.__setattr__(self, "space", products[0].space)
        object.__setattr__(self, "parts", tuple(zip(weights.weights, products, strict=True)))
        object.__setattr__(self, "_weights", weights)

    def sample(self, rng: np.random.Generator) -> Level:
        return self.parts[self._weights.index(rng.random())][1].sample(rng)

    def contains(self, level: Mapping[str, Any]) -> bool:
        return any(weight > 0 and product.contains(level) for weight, product in self.parts)

    def to_json(self) -> JsonObject:
        return {
            "kind": self.kind,
            "parts": [
                {"weight": weight, "marginals": product.to_json()["marginals"]}
                for weight, product in self.parts
            ],
        }

    @classmethod
    def from_json(cls, space: EnvSpace, data: Mapping[str, Any]) -> Mixture:
        """The mixture that `data`, without its ``kind``, describes.

        Raises:
            ValueError: if `data` is malformed or outside the legal ranges; names part and knob.
        """
        parts = []
        for index, each in enumerate(_list("parts", fields("a mixture", data, ("parts",)))):
            found = fields(f"part {index} of a mixture", each, ("weight", "marginals"))
            with naming(f"part {index} of a mixture"):
                product = Product.from_json(space, {"marginals": found["marginals"]})
                parts.append((float(number("weight", found["weight"])), product))
        return cls(tuple(parts))

    def picture(self) -> str:
        shown = [
            f"{percent(weight)} ({product.picture()})"
            for weight, product in self.parts
            if weight > 0
        ]
        return " + ".join(shown)


@dataclass(frozen=True)
class Levels(Distribution):
    """A buffer of levels, each with the probability that it is drawn.

    The levels are kept as read-only mappings; `sample` returns new dicts. Relative weights may be
    given; `weights` always sums to one.

    Raises:
        ValueError: if there are no levels, one is not in `space`, or there is not one weight for
            each.
    """

    kind: ClassVar[str] = "levels"
    space: EnvSpace
    levels: tuple[Mapping[str, Any], ...] = field(compare=False)
    weights: tuple[float, ...]
    _texts: tuple[str, ...] = field(init=False, repr=False)
    _weights: Weights = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        levels: list[FrozenMap[Any]] = []
        for index, level in enumerate(self.levels):
            with naming(f"level {index}"):
                levels.append(freeze(self.space.cast(level)))
        if not levels:
            raise ValueError("a buffer must have at least one level, but got none")
        weights = Weights(self.weights)
        if len(weights.weights) != len(levels):
            raise ValueError(
                f"`weights` must have one entry for each of the {len(levels)} levels, "
                f"but got {len(weights.weights)}"
            )
        object.__setattr__(self, "levels", tuple(levels))
        object.__setattr__(self, "weights", weights.weights)
        object.__setattr__(self, "_texts", tuple(text(level) for level in levels))
        object.__setattr__(self, "_weights", weights)

    def sample(self, rng: np.random.Generator) -> Level:
        level: Level = thaw(self.levels[self._weights.index(rng.random())])
        return level

    def contains(self, level: Mapping[str, Any]) -> bool:
        try:
            wanted = text(self.space.cast(level))
        except ValueError:
            return False
        return any(
            weight > 0 and each == wanted
            for each, weight in zip(self._texts, self.weights, strict=True)
        )

    def to_json(self) -> JsonObject:
        return {"kind": self.kind, "levels": thaw(self.levels), "weights": list(self.weights)}

    @classmethod
    def from_json(cls, space: EnvSpace, data: Mapping[str, Any]) -> Levels:
        """The buffer that `data`, without its ``kind``, describes.

        Raises:
            ValueError: if `data` is malformed or a level is not in `space`.
        """
        found = fields("a buffer of levels", data, ("levels", "weights"))
        return cls(space, tuple(_list("levels", found)), tuple(_list("weights", found)))

    def picture(self) -> str:
        live = [
            level for level, weight in zip(self.levels, self.weights, strict=True) if weight > 0
        ]
        parts = [f"{len(live)} level{'' if len(live) == 1 else 's'}"]
        for name, knob in self.space.knobs.items():
            values = [level[name] for level in live]
            if isinstance(knob, Numeric):
                parts.append(f"{name} {span(min(values), max(values))}")
            else:
                kinds = len({text(value) for value in values})
                parts.append(f"{name} {kinds} kind{'' if kinds == 1 else 's'}")
        return " · ".join(parts)


_KINDS: Mapping[str, type[Product | Mixture | Levels]] = {
    kind.kind: kind for kind in (Product, Mixture, Levels)
}


def distribution_from_json(space: EnvSpace, data: object) -> Distribution:
    """The distribution over `space` whose `Distribution.to_json` is `data`.

    Raises:
        ValueError: if `data` is malformed, its ``kind`` unknown, or it leaves the legal ranges.
    """
    if not isinstance(data, Mapping) or "kind" not in data:
        raise ValueError(f"a distribution must be a mapping with the key `kind`, but got {data!r}")
    kind = data["kind"]
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(f"a distribution's `kind` is not known: {kind!r}{nearest(kind, _KINDS)}")
    return _KINDS[kind].from_json(space, {key: data[key] for key in data if key != "kind"})


def _list(name: str, found: Mapping[str, Any]) -> Iterable[Any]:
    if not isinstance(found[name], list | tuple):
        raise ValueError(f"`{name}` must be a list, but got {found[name]!r}")
    return tuple(found[name])
