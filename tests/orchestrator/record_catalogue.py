"""Records of every kind, made from the types of their fields."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import distribution_catalogue  # noqa: F401 - loads the steady profile
from hypothesis import strategies as st

from orchestrator import records
from orchestrator.records import Record

R = TypeVar("R", bound=Record)

KINDS: list[type[Record]] = [
    each
    for each in vars(records).values()
    if isinstance(each, type) and issubclass(each, Record) and "kind" in vars(each)
]

_numbers = st.floats(allow_nan=False, allow_infinity=False)
_texts = st.text(max_size=8) | st.sampled_from(["\u2028", "\x0b\x0c\x1c\r\n", "\x85", "\ud800", ""])
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | _numbers | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=6,
)


def _values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type, none of which JSON brings back as another."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([_values(each) for each in inner])
    if origin is tuple and inner[-1] is Ellipsis:
        return st.lists(_values(inner[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*[_values(each) for each in inner])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return st.dictionaries(_texts, _values(inner[1]), max_size=3)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        str: _texts,
        bool: st.booleans(),
        int: st.integers(),
        float: _numbers,
        type(None): st.none(),
        Any: _json,
    }
    return plain[hint]


def _records(kind: type[Record]) -> st.SearchStrategy[Record]:
    hints = typing.get_type_hints(kind)
    names = [item.name for item in dataclasses.fields(kind)]
    return st.builds(kind, **{name: _values(hints[name]) for name in names})


some_records: st.SearchStrategy[Record] = st.sampled_from(KINDS).flatmap(_records)


def record_of(kind: type[R], **values: Any) -> R:
    """A record of a kind, with plain values where none are given."""
    hints = typing.get_type_hints(kind)
    required = [
        item.name
        for item in dataclasses.fields(kind)
        if item.default is item.default_factory is dataclasses.MISSING
    ]
    return kind(**{**{name: _plain(hints[name]) for name in required}, **values})


def _plain(hint: Any) -> Any:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _plain(inner[0])
    if origin is tuple:
        return ()
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {}
    return {str: "text", int: 1, float: 1.5}[hint]
