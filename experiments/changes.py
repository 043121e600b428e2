"""What an edited experiment file may change of a run that is under way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from experiments.problems import key_text
from experiments.spec import Experiment

#: Sections that decide how far a run goes and what it takes, not what it is.
CHANGEABLE = ("stop", "resources", "checkpoint")

Plain = dict[str, Any]
Change = tuple[Any, Any]


def plain_arms(arms: Mapping[str, Experiment]) -> Plain:
    """The arms as plain data, as the journal keeps them."""
    return {name: json.loads(arm.model_dump_json()) for name, arm in arms.items()}


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
    elif before != after:
        yield at, (before, after)


def allowed(path: tuple[str, ...]) -> bool:
    """Whether a run may go on after this change."""
    return len(path) > 1 and path[1] in CHANGEABLE


def describe(path: tuple[str, ...], change: Change, *, arms: int) -> str:
    """One line of a diff: ``stop.iterations: 40 → 80`` (with the arm, where there are several)."""
    key = key_text(path[1:]) if path[1:] else "the whole arm"
    where = f" (arm {path[0]})" if arms > 1 or not path[1:] else ""
    before, after = (json.dumps(value, ensure_ascii=False) for value in change)
    return f"{key}: {before} → {after}{where}"
