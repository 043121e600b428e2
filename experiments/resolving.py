"""A file written out in full from its arms: what they share once, and how each one differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.nodes import KINDED
from experiments.spec import Experiment

Path = tuple[str, ...]


def resolve(arms: Mapping[str, Experiment]) -> dict[str, Any]:
    """Plain data of a file that loads as exactly these arms, with every default written out."""
    written = {name: _written(experiment) for name, experiment in arms.items()}
    base = _shared(list(written.values()), ())
    if list(written) == ["main"]:
        return {**_escaped(base), "arms": {}}
    different = {name: _escaped(_difference(base, data)) for name, data in written.items()}
    return {**_escaped(base), "arms": different}


def _written(experiment: Experiment) -> dict[str, Any]:
    data: dict[str, Any] = _lists(experiment.model_dump())
    if experiment.evaluation.aggregate != "cvar":
        # It means nothing there, and a file that says it is refused.
        del data["evaluation"]["alpha"]
    return data


def _lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lists(child) for key, child in value.items()}
    return [_lists(child) for child in value] if isinstance(value, list | tuple) else value


def same(one: Any, other: Any) -> bool:
    """Equality of plain data that tells 1, 1.0 and true apart."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    # By their text, so that not-a-number is the same as itself.
    return type(one) is type(other) and repr(one) == repr(other)


def _shared(datas: list[dict[str, Any]], at: Path) -> dict[str, Any]:
    """What all mappings have in common; of sections that hold only whole, nothing."""
    first, *others = datas
    shared: dict[str, Any] = {}
    for key, value in first.items():
        if not all(key in other for other in others):
            continue
        values = [value, *(other[key] for other in others)]
        here = (*at, key)
        if all(same(value, other) for other in values):
            shared[key] = value
        elif all(isinstance(each, dict) for each in values) and not _is_whole(here):
            shared[key] = _shared(values, here)
    return shared


def _is_whole(at: Path) -> bool:
    """Whether what differs there has to be written whole, since half of it would not hold."""
    knob = at[:2] == ("algorithm", "search") and len(at) == 3
    knob |= at[:2] == ("algorithm", "policy_search") and len(at) == 4
    return at in KINDED or knob or (at[:2] == ("env", "knobs") and at[3:] == ("start",))


def _difference(base: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be laid over `base`, whose keys `data` all has, to make it `data`."""
    different: dict[str, Any] = {}
    for key, value in data.items():
        if key not in base:
            different[key] = value
        elif not same(base[key], value):
            different[key] = _difference(base[key], value)
    return different


def _escaped(value: Any) -> Any:
    """A mapping that looks like a grid, as a grid of that one value."""
    if isinstance(value, list):
        return [_escaped(child) for child in value]
    if not isinstance(value, dict):
        return value
    if list(value) == ["grid"] and isinstance(value["grid"], list):
        return {"grid": [value]}
    return {key: _escaped(child) for key, child in value.items()}
