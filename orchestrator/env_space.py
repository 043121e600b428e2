"""All knobs of an experiment, and the simplest distribution over them: a product of marginals."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from orchestrator.checks import JsonObject, fields, naming, nearest, words
from orchestrator.frozen import FrozenMap
from orchestrator.knobs import Knob, Marginal, knob_from_json

__all__ = ["Distribution", "EnvSpace", "Level", "Product"]

Level = dict[str, Any]
"""One concrete env config: the JSON value of each knob."""


@dataclass(frozen=True)
class EnvSpace:
    """The knobs of an experiment by name, and where some of them start.

    Knobs are kept in the order of their names, so that the levels that a generator draws do not
    depend on the order in a file.

    Raises:
        ValueError: if a name is no printable string, or a start is of an unknown knob, of the
            wrong kind, or outside its knob's legal range.
    """

    knobs: Mapping[str, Knob]
    start: Mapping[str, Marginal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = sorted(words("knobs", self.knobs, at_least=0))
        object.__setattr__(self, "knobs", FrozenMap({name: self.knobs[name] for name in names}))
        for name in self.start:
            if name not in self.knobs:
                raise ValueError(f"`start` names an unknown knob: {name!r}{nearest(name, names)}")
        start = {}
        for name in (name for name in names if name in self.start):
            with naming(f"the start of knob {name!r}"):
                start[name] = self.knobs[name].check(self.start[name])
        object.__setattr__(self, "start", FrozenMap(start))

    @property
    def names(self) -> tuple[str, ...]:
        """The knobs' names, sorted."""
        return tuple(self.knobs)

    def full(self) -> Product:
        """The distribution over all of the legal ranges."""
        return Product(self, {name: knob.full() for name, knob in self.knobs.items()})

    def initial(self) -> Product:
        """The distribution that an experiment starts from: `start` where given, else full."""
        return Product(
            self, {name: self.start.get(name, knob.full()) for name, knob in self.knobs.items()}
        )

    def check(self, level: Mapping[str, Any]) -> None:
        """Refuse a level that is not in this space.

        Raises:
            ValueError: naming every key that is missing, unknown or out of its legal range.
        """
        self.cast(level)

    def cast(self, level: Mapping[str, Any]) -> Level:
        """`level` with each value in its knob's own plain type, knobs in this space's order.

        Raises:
            ValueError: as `check`.
        """
        if not isinstance(level, Mapping):
            raise ValueError(f"a level must be a mapping from knob to value, but got {level!r}")
        found: Level = {}
        problems = [f"{name!r} is missing" for name in self.knobs if name not in level]
        problems += [
            f"{name!r} is not a knob{nearest(name, self.knobs)}"
            for name in level
            if name not in self.knobs
        ]
        for name in self.knobs.keys() & level.keys():
            try:
                found[name] = self.knobs[name].cast(level[name])
            except ValueError as error:
                problems.append(f"{name!r} {error}")
        if problems:
            raise ValueError("a level must fit its env space, but " + "; ".join(sorted(problems)))
        return {name: found[name] for name in self.knobs}

    def to_json(self) -> JsonObject:
        """This space as a JSON object; `from_json` is the inverse."""
        return {
            "knobs": {name: knob.to_json() for name, knob in self.knobs.items()},
            "start": {
                name: self.knobs[name].marginal_to_json(marginal)
                for name, marginal in self.start.items()
            },
        }

    @classmethod
    def from_json(cls, data: object) -> EnvSpace:
        """The space whose `to_json` is `data`.

        Raises:
            ValueError: if `data` is malformed; names the knob.
        """
        found = fields("an env space", data, ("knobs", "start"))
        knobs, start = {}, {}
        for name, each in _items(found["knobs"], "knobs"):
            with naming(f"knob {name!r}"):
                knobs[name] = knob_from_json(each)
        for name, each in _items(found["start"], "start"):
            if name not in knobs:
                raise ValueError(f"`start` names an unknown knob: {name!r}{nearest(name, knobs)}")
            with naming(f"the start of knob {name!r}"):
                start[name] = knobs[name].marginal_from_json(each)
        return cls(knobs, start)


class Distribution(ABC):
    """How levels are drawn within an env space. An immutable value: equal, hashable, picklable."""

    kind: ClassVar[str]
    """The tag of this kind in JSON."""

    space: EnvSpace
    """The space that every level lies in."""

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> Level:
        """One level, as a new dict of plain JSON values."""

    @abstractmethod
    def contains(self, level: Mapping[str, Any]) -> bool:
        """Whether `level` is legal and can be drawn, up to the rounding of floats."""

    @abstractmethod
    def to_json(self) -> JsonObject:
        """This distribution without its space, as a JSON object with its ``kind``."""

    @abstractmethod
    def picture(self) -> str:
        """One line of text for a terminal."""


@dataclass(frozen=True)
class Product(Distribution):
    """Each knob drawn on its own, by its marginal.

    Raises:
        ValueError: if a knob has no marginal, or one is of an unknown knob, of the wrong kind, or
            outside its knob's legal range.
    """

    kind: ClassVar[str] = "product"
    space: EnvSpace
    marginals: Mapping[str, Marginal]
    _plan: tuple[tuple[str, Knob, Marginal], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        given = fields("a product's marginals", self.marginals, self.space.knobs)
        marginals = {}
        for name, knob in self.space.knobs.items():
            with naming(f"the marginal of knob {name!r}"):
                marginals[name] = knob.check(given[name])
        plan = tuple((name, self.space.knobs[name], each) for name, each in marginals.items())
        object.__setattr__(self, "marginals", FrozenMap(marginals))
        object.__setattr__(self, "_plan", plan)

    def sample(self, rng: np.random.Generator) -> Level:
        return {name: knob.sample(marginal, rng) for name, knob, marginal in self._plan}

    def contains(self, level: Mapping[str, Any]) -> bool:
        return (
            isinstance(level, Mapping)
            and level.keys() == self.space.knobs.keys()
            and all(knob.within(marginal, level[name]) for name, knob, marginal in self._plan)
        )

    def to_json(self) -> JsonObject:
        return {
            "kind": self.kind,
            "marginals": {
                name: knob.marginal_to_json(marginal) for name, knob, marginal in self._plan
            },
        }

    @classmethod
    def from_json(cls, space: EnvSpace, data: Mapping[str, Any]) -> Product:
        """The product that `data`, without its ``kind``, describes.

        Raises:
            ValueError: if `data` is malformed or outside the legal ranges; names the knob.
        """
        found = fields("a product", data, ("marginals",))["marginals"]
        marginals = {}
        for name, each in _items(fields("a product's marginals", found, space.knobs), "marginals"):
            with naming(f"the marginal of knob {name!r}"):
                marginals[name] = space.knobs[name].marginal_from_json(each)
        return cls(space, marginals)

    def picture(self) -> str:
        parts = [f"{name} {knob.picture(marginal)}" for name, knob, marginal in self._plan]
        return " · ".join(parts) or "no knobs"


def _items(data: object, what: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(data, Mapping):
        raise ValueError(f"`{what}` must be a mapping from knob to value, but got {data!r}")
    yield from data.items()
