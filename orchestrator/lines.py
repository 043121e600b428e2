"""Records as they are read from lines of JSON, many times faster than they are made.

A line has the attributes and the ``kind`` of its record. What the types of the record's fields
promise was checked when it was read.
"""

from __future__ import annotations

import dataclasses
import json
import typing
from typing import Any, Literal, NoReturn, TypeAlias

import msgspec

from orchestrator.records import KINDS, VERSION, Record, check, is_required, json_name

Line: TypeAlias = Any
"""Besides, ``more`` says whether its entry goes on, and ``crc`` what it was sealed with."""

_ENVELOPE = ("more", "crc")


def _line_type(kind: type[Record]) -> type[msgspec.Struct]:
    """The type of a kind's lines, made from the record's."""
    hints = typing.get_type_hints(kind)
    items = dataclasses.fields(kind)
    fields: list[Any] = [("v", Literal[VERSION])]
    fields += [
        (item.name, hints[item.name])
        if is_required(item)
        else (item.name, hints[item.name], _default(item))
        for item in items
    ]
    fields += [("more", bool, False), ("crc", str | msgspec.UnsetType, msgspec.UNSET)]
    return msgspec.defstruct(
        kind.__name__,
        fields,
        namespace={"kind": kind.kind},
        tag_field="kind",
        tag=kind.kind,
        rename={item.name: json_name(item) for item in items},
        kw_only=True,
        forbid_unknown_fields=True,
        # A tree has no cycles to look for.
        gc=False,
    )


def _default(item: dataclasses.Field[Any]) -> Any:
    if item.default_factory is dataclasses.MISSING:
        return item.default
    return msgspec.field(default_factory=item.default_factory)


_LINES: Any = typing.Union[tuple(map(_line_type, KINDS.values()))]  # noqa: UP007
_decode = msgspec.json.Decoder(_LINES).decode
_NAMES = {name: [item.name for item in dataclasses.fields(kind)] for name, kind in KINDS.items()}


def line_of(text: bytes) -> Line:
    """The line of a record's JSON.

    Raises:
        ValueError, RecursionError: saying why it is none.
    """
    try:
        return _decode(text)
    except ValueError:
        # It refuses half of a surrogate pair, which texts may hold; and says less of what is wrong.
        return _converted(json.loads(text, parse_constant=_refuse))


def to_record(line: Line) -> Record:
    """The record that a line has the attributes of."""
    return KINDS[line.kind](**{name: getattr(line, name) for name in _NAMES[line.kind]})


def _converted(data: object) -> Line:
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")
    check({key: value for key, value in data.items() if key not in _ENVELOPE})
    return msgspec.convert(data, _LINES)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")
