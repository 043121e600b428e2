"""Env distributions: `Product`, `Gaussian`, `Levels` (a weighted buffer), a `Mixture` of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, field
from typing import Any, ClassVar

import numpy as np

from orchestrator.checks import JsonObject, fields, naming, nearest, number
from orchestrator.env_space import Distribution, EnvSpace, Level, Product
from orchestrator.frozen import FrozenMap, freeze, text, thaw
from orchestrator.gaussian import Gaussian
from orchestrator.knobs import Numeric, Weights
from orchestrator.pictures import percent, span

__all__ = [
    "Distribution",
    "EnvSpace",
    "Gaussian",
    "Level",
    "Levels",
    "Mixture",
    "Product",
    "distribution_from_json",
]


@dataclass(frozen=True)
class Levels(Distribution):
    """A buffer of levels, each with the probability that it is drawn.

    The levels are kept as read-only mappings; `sample` returns new dicts. Relative weights may be
    given; `weights` always sums to one.

    Args:
        known: a buffer over the same space; levels that are taken from it are not checked again,
            so that thousands of levels can be weighted anew in a few milliseconds.

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
    known: InitVar[Levels | None] = None

    def __post_init__(self, known: Levels | None) -> None:
        texts: dict[int, str] = {}
        if known is not None and known.space == self.space:
            texts = {id(level): each for each, level in known.by_text().items()}
        levels: list[Mapping[str, Any]] = []
        for index, level in enumerate(self.levels):
            if id(level) in texts:
                levels.append(level)
                continue
            with naming(f"level {index}"):
                checked: FrozenMap[Any] = freeze(self.space.cast(level))
            levels.append(checked)
            texts[id(checked)] = text(checked)
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
        object.__setattr__(self, "_texts", tuple(texts[id(level)] for level in levels))
        object.__setattr__(self, "_weights", weights)

    def by_text(self) -> dict[str, Mapping[str, Any]]:
        """The levels by their canonical texts."""
        return dict(zip(self._texts, self.levels, strict=True))

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


@dataclass(frozen=True)
class Mixture(Distribution):
    """Distributions over one space, each with the probability that a level is drawn from it.

    Relative weights may be given; those of `parts` always sum to one.

    Raises:
        ValueError: if there are no parts, one is a mixture itself, their spaces differ, or the
            weights are none.
    """

    kind: ClassVar[str] = "mixture"
    parts: tuple[tuple[float, Distribution], ...]
    space: EnvSpace = field(init=False, repr=False, compare=False)
    _weights: Weights = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError("a mixture must have at least one part, but got none")
        parts = tuple(part for _, part in self.parts)
        for index, part in enumerate(parts):
            if not isinstance(part, Distribution) or isinstance(part, Mixture):
                raise ValueError(
                    "each part of a mixture must be a distribution that is no mixture itself, "
                    f"but part {index} is {part!r}"
                )
            if part.space != parts[0].space:
                raise ValueError(
                    f"the parts of a mixture must share one env space, but part {index} has the "
                    f"knobs {list(part.space.names)}, part 0 {list(parts[0].space.names)}"
                )
        weights = Weights(tuple(weight for weight, _ in self.parts))
        object.__setattr__(self, "space", parts[0].space)
        object.__setattr__(self, "parts", tuple(zip(weights.weights, parts, strict=True)))
        object.__setattr__(self, "_weights", weights)

    def sample(self, rng: np.random.Generator) -> Level:
        return self.parts[self._weights.index(rng.random())][1].sample(rng)

    def contains(self, level: Mapping[str, Any]) -> bool:
        return any(weight > 0 and part.contains(level) for weight, part in self.parts)

    def to_json(self) -> JsonObject:
        return {
            "kind": self.kind,
            "parts": [
                {"weight": weight, "distribution": part.to_json()} for weight, part in self.parts
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
            found = fields(f"part {index} of a mixture", each, ("weight", "distribution"))
            with naming(f"part {index} of a mixture"):
                weight = float(number("weight", found["weight"]))
                parts.append((weight, distribution_from_json(space, found["distribution"])))
        return cls(tuple(parts))

    def picture(self) -> str:
        shown = [f"{percent(weight)} ({part.picture()})" for weight, part in self.parts if weight]
        return " + ".join(shown)


_KINDS: Mapping[str, type[Product | Gaussian | Mixture | Levels]] = {
    kind.kind: kind for kind in (Product, Gaussian, Mixture, Levels)
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
