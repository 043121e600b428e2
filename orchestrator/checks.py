"""Checks that values of the domain share: one place for how a refusal reads."""

from __future__ import annotations

import difflib
import numbers
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

__all__ = ["JsonObject", "fields", "naming", "nearest", "number", "words"]

JsonObject = dict[str, Any]
"""A JSON object as plain Python."""


def number(name: str, value: object) -> float | int:
    """`value` as a plain int or float.

    Raises:
        ValueError: if it is a bool, NaN, infinite, beyond a float, or no number at all.
    """
    if not isinstance(value, bool) and isinstance(value, numbers.Real):
        plain = int(value) if isinstance(value, numbers.Integral) else float(value)
        if abs(plain) <= sys.float_info.max:
            return plain
    raise ValueError(f"`{name}` must be a finite number, but got {value!r}")


def words(name: str, values: object, at_least: int) -> tuple[str, ...]:
    """`values` as a tuple of unique, printable, non-empty strings.

    Raises:
        ValueError: if they are not, or if there are fewer than `at_least`.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ValueError(f"`{name}` must be a list of names, but got {values!r}")
    names = tuple(values)
    for each in names:
        if not isinstance(each, str) or not each or not each.isprintable():
            raise ValueError(
                f"each of `{name}` must be a printable, non-empty string, got {each!r}"
            )
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise ValueError(f"`{name}` must be unique, but {twice[0]!r} is there more than once")
    if len(names) < at_least:
        raise ValueError(f"`{name}` must have at least {at_least} names, but got {list(names)}")
    return names


def fields(what: str, data: object, names: Iterable[str]) -> Mapping[str, Any]:
    """`data` as a mapping that has exactly the keys `names`.

    Raises:
        ValueError: naming every key that is missing or unknown.
    """
    known = tuple(names)
    if not isinstance(data, Mapping):
        raise ValueError(f"{what} must be a mapping with the keys {list(known)}, but got {data!r}")
    problems = [f"`{key}` is missing" for key in known if key not in data]
    problems += [
        f"{key!r} is not one of its keys{nearest(key, known)}" for key in data if key not in known
    ]
    if problems:
        raise ValueError(f"{what} must have the keys {list(known)}, but " + "; ".join(problems))
    return data


def nearest(name: object, names: Iterable[str]) -> str:
    """A hint to append to a refusal of `name`: the nearest of `names`, or all of them if few."""
    known = sorted(names)
    close = difflib.get_close_matches(str(name), known, n=1)
    if close:
        return f" (did you mean {close[0]!r}?)"
    if 0 < len(known) <= 8:
        return f" (known: {', '.join(known)})"
    return ""


@contextmanager
def naming(what: str) -> Iterator[None]:
    """Puts `what` in front of the message of any ``ValueError`` that is raised inside."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None
