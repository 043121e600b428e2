"""Immutable forms of mappings and of JSON values, and the text that tells JSON values apart."""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

__all__ = ["FrozenMap", "freeze", "text", "thaw"]

V = TypeVar("V")


class FrozenMap(Mapping[str, V]):
    """A mapping that cannot change: hashable if its values are, picklable, equal to equal maps."""

    __slots__ = ("_items",)
    _items: dict[str, V]

    def __init__(self, items: Mapping[str, V]) -> None:
        object.__setattr__(self, "_items", dict(items))

    def __getitem__(self, key: str) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; {name!r} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable; {name!r} cannot be deleted")

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenMap):
            return self._items == other._items
        return self._items == other if isinstance(other, Mapping) else NotImplemented

    def __reduce__(self) -> tuple[type[FrozenMap[V]], tuple[dict[str, V]]]:
        return (FrozenMap, (dict(self._items),))

    def __repr__(self) -> str:
        return f"FrozenMap({self._items!r})"


def freeze(value: object) -> Any:
    """A JSON value in an immutable form: plain scalars, tuples for lists, `FrozenMap` for objects.

    Raises:
        ValueError: if `value` is no JSON value (NaN and infinities are none).
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real) and math.isfinite(value):
        return float(value)
    if isinstance(value, list | tuple):
        return tuple(freeze(each) for each in value)
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return FrozenMap({key: freeze(each) for key, each in value.items()})
    raise ValueError(f"a value must be a finite number or another JSON value, but got {value!r}")


def thaw(value: Any) -> Any:
    """The plain JSON value of a frozen one: new lists and dicts that the caller may change."""
    if isinstance(value, tuple):
        return [thaw(each) for each in value]
    if isinstance(value, Mapping):
        return {key: thaw(each) for key, each in value.items()}
    return value


def text(value: object) -> str:
    """The canonical JSON text of a value; unlike ``==`` it tells True, 1 and 1.0 apart.

    Raises:
        ValueError: if `value` is no JSON value.
    """
    return json.dumps(thaw(freeze(value)), sort_keys=True, separators=(",", ":"))
