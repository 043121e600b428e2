"""A knob whose value is a set of cells of a grid, such as the walls of a maze."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar, Self

import numpy as np

from orchestrator.checks import JsonObject, fields, number
from orchestrator.knob import Knob
from orchestrator.marginals import Marginal, Range
from orchestrator.numeric_knobs import Integer
from orchestrator.pictures import span

__all__ = ["LARGEST_GRID", "Cells"]

LARGEST_GRID = 2**16
"""Bound of the number of cells: every level names those that are set, one by one."""


@dataclass(frozen=True)
class Cells(Knob):
    """From `low` to `high` of the cells 0, 1, ..., `size` - 1; `high` None is all of them.

    A value is a list of different cells in ascending order. A `Range` says how many there are:
    their number is uniform in it, and then every set of as many cells is as likely.

    Raises:
        ValueError: unless ``0 <= low <= high <= size``, all of them whole, and
            ``1 <= size <= LARGEST_GRID``.
    """

    kind: ClassVar[str] = "cells"
    size: int
    low: int = 0
    high: int | None = None
    count: Integer = field(init=False, repr=False, compare=False)
    """How many cells are set, as a knob of its own."""

    def __post_init__(self) -> None:
        size = _whole("size", self.size)
        if not 1 <= size <= LARGEST_GRID:
            raise ValueError(f"`1 <= size <= {LARGEST_GRID}` must hold, but got size={size}")
        count = Integer(self.low, size if self.high is None else self.high)
        if count.low < 0 or count.high > size:
            raise ValueError(
                f"`0 <= low <= high <= size` must hold, "
                f"but got low={count.low}, high={count.high}, size={size}"
            )
        object.__setattr__(self, "size", size)
        object.__setattr__(self, "low", count.low)
        object.__setattr__(self, "high", count.high)
        object.__setattr__(self, "count", count)

    def full(self) -> Range:
        return self.count.full()

    def sample(self, marginal: Marginal, rng: np.random.Generator) -> list[int]:
        if not isinstance(marginal, Range):
            raise self._alien(marginal, Range)
        count = self.count.sample(marginal, rng)
        drawn: list[int] = np.sort(rng.permutation(self.size)[:count]).tolist()
        return drawn

    def edited(self, value: Any, rng: np.random.Generator) -> list[int]:
        """One cell is set, cleared or moved: each as likely as the others that are legal."""
        cells = self.cast(value)
        clear = sorted(set(range(self.size)).difference(cells))
        changes = [
            *(["set"] if len(cells) < self.count.high else []),
            *(["clear"] if len(cells) > self.count.low else []),
            *(["move"] if cells and clear else []),
        ]
        if not changes:
            return cells
        change = changes[int(rng.integers(len(changes)))]
        if change != "set":
            cells.pop(int(rng.integers(len(cells))))
        if change != "clear":
            cells.append(clear[int(rng.integers(len(clear)))])
        return sorted(cells)

    def cast(self, value: object) -> list[int]:
        """`value`, a list, tuple or array of whole numbers in any order, as a sorted list."""
        if not isinstance(value, list | tuple | np.ndarray):
            raise ValueError(f"must be a list of cells, but got {value!r}")
        for each in value:
            # A drawn cell is an int; to ask for less takes ten times as long.
            if type(each) is not int and (
                isinstance(each, bool) or not isinstance(each, numbers.Integral)
            ):
                raise ValueError(f"must be a list of whole numbers, but one is {each!r}")
        cells = sorted(map(int, value))
        for cell in (*cells[:1], *cells[-1:]):
            if not 0 <= cell < self.size:
                raise ValueError(f"must be cells from 0 to {self.size - 1}, but one is {cell}")
        if len(set(cells)) < len(cells):
            twice = next(one for one, other in pairwise(cells) if one == other)
            raise ValueError(f"must be different cells, but {twice} is there more than once")
        if not self.count.legal(len(cells)):
            must = f"must be from {self.low} to {self.high} cells"
            raise ValueError(f"{must}, but got {len(cells)}")
        return cells

    def within(self, marginal: Marginal, value: object) -> bool:
        own = self.fit(marginal)
        return self.legal(value) and self.count.within(own, len(self.cast(value)))

    def fit(self, marginal: Marginal) -> Range:
        if not isinstance(marginal, Range):
            raise self._alien(marginal, Range)
        return self.count.fit(marginal)

    def check(self, marginal: Marginal) -> Range:
        if not isinstance(marginal, Range):
            raise self._alien(marginal, Range)
        return self.count.check(marginal)

    def marginal_to_json(self, marginal: Marginal) -> JsonObject:
        own = self.fit(marginal)
        return {"low": own.low, "high": own.high}

    def marginal_from_json(self, data: object) -> Range:
        return self.count.marginal_from_json(data)

    def to_json(self) -> JsonObject:
        return {"kind": self.kind, "size": self.size, "low": self.low, "high": self.high}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        found = fields(f"a knob of kind {cls.kind!r}", data, ("size", "low", "high"))
        return cls(_whole("size", found["size"]), found["low"], _whole("high", found["high"]))

    def picture(self, marginal: Marginal) -> str:
        own = self.fit(marginal)
        return f"{span(own.low, own.high)} of {self.size}"


def _whole(name: str, value: object) -> int:
    plain = number(name, value)
    if isinstance(plain, float):
        raise ValueError(f"`{name}` must be a whole number, but got {value!r}")
    return plain
