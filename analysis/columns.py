"""Rows that come a block at a time, kept as columns of numbers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

V = TypeVar("V", bound=Hashable)

Ints = NDArray[np.int64]
Rows = dict[str, NDArray[Any]]
"""Columns by name, all of one length."""


class Codes(dict[V, int]):
    """Numbers values from 0 on, in the order in which they are first asked for."""

    def __missing__(self, value: V) -> int:
        code = self[value] = len(self)
        return code

    def of(self, values: Iterable[V]) -> list[int]:
        """The number of each of ``values``."""
        return [self[value] for value in values]


class Columns:
    """Columns that grow, each of its own type: int, float (None becomes NaN) or object."""

    def __init__(self, **types: type) -> None:
        self._types = types
        self._blocks: dict[str, list[NDArray[Any]]] = {name: [] for name in types}

    def extend(self, **values: Iterable[Any]) -> None:
        """Add as many values to every column."""
        for name, kind in self._types.items():
            # Unlike array() it is never in doubt whether a list is a value or a dimension.
            self._blocks[name].append(np.fromiter(values[name], kind))

    def handed_over(self) -> Rows:
        """All rows, which are kept no longer: there may be too many to have them twice."""
        rows: Rows = {}
        for name, blocks in self._blocks.items():
            rows[name] = np.concatenate([np.empty(0, self._types[name]), *blocks])
            blocks.clear()
        return rows


def picked(rows: Rows, index: NDArray[Any]) -> Rows:
    """Some of the rows: by a mask, or by their numbers in any order."""
    return {name: column[index] for name, column in rows.items()}


def parts_of(counts: Ints, index: Ints, parts: Rows) -> tuple[Rows, Ints]:
    """The parts of some rows, and which of its row's each of them is, from 0 on.

    Args:
        counts: how many parts each row has.
        index: the numbers of the rows that are wanted, in any order.
        parts: of all rows, one behind the other.
    """
    wanted = counts[index]
    within = np.arange(wanted.sum())
    within -= np.repeat(np.cumsum(wanted) - wanted, wanted)
    at = np.repeat((np.cumsum(counts) - counts)[index], wanted)
    at += within
    return picked(parts, at), within
