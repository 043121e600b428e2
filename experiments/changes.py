"""What an edited experiment file may change of a run that is under way."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from experiments.hints import show
from experiments.problems import key_text
from experiments.resolving import same
from experiments.spec import Experiment

#: Sections and keys that decide how far a run goes, what it takes and who is told, not what it is.
CHANGEABLE = ("stop", "resources", "checkpoint", "env.timeout", "population.max_faults", "loggers")

_CHANGEABLE = [tuple(key.split(".")) for key in CHANGEABLE]

Plain = dict[str, Any]
Change = tuple[Any, Any]


def plain_arms(arms: Mapping[str, Experiment]) -> Plain:
    """The arms as plain data, as the journal keeps them.

    Numbers that JSON lacks (``.inf`` in an env's config) are kept as texts.
    """
    return {name: _plain(arm.model_dump()) for name, arm in arms.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(child) for child in value]
    if isinstance(value, float) and not math.isfinite(value):
        return show(value)
    return value


def digest(arms: Plain) -> str:
    """SHA-256 of the arms' plain data."""
    return hashlib.sha256(json.dumps(arms, sort_keys=True).encode()).hexdigest()


def changes(before: Plain, after: Plain) -> dict[tuple[str, ...], Change]:
    """What differs, by key path ``(arm, section, ...)``; None stands for an absent key."""
    return dict(_changes(before, after, ()))


def _changes(
    before: Any, after: Any, at: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Change]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            yield from _changes(before.get(key), after.get(key), (*at, key))
    elif not same(before, after):
        yield at, (before, after)


def allowed(path: tuple[str, ...]) -> bool:
    """Whether a run may go on after this change."""
    key = path[1:]
    return any(key[: len(part)] == part for part in _CHANGEABLE)


def describe(path: tuple[str, ...], change: Change, *, arms: int) -> str:
    """One line of a diff: ``stop.iterations: 40 → 80`` (with the arm, where there are several)."""
    before, after = change
    if len(path) == 1:
        return f"arm {path[0]}: {'added' if before is None else 'removed'}"
    where = f" (arm {path[0]})" if arms > 1 else ""
    return f"{key_text(path[1:])}: {said(before)} → {said(after)}{where}"


def said(value: Any) -> str:
    """A value of a change, short; what has none is "unset"."""
    return "unset" if value is None else show(value)
