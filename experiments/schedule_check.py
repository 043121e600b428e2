"""What must hold between the keys of a replay's schedule, and what goes with it.

On plain data: a key that is missing or of the wrong type is passed over, since it is reported
already.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from experiments.curriculum_spec import ScheduledChange
from experiments.findings import Finding
from experiments.hints import show
from experiments.knob_check import whole
from experiments.spec import Population

__all__ = ["replay_findings"]

Path = tuple[str | int, ...]

_SCHEDULE: Path = ("curriculum", "schedule")
_HYPERPARAMETERS = "schedule says which hyperparameters there are"


def replay_findings(data: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong between the keys of an arm, if its curriculum is a replay."""
    if _part(data, "curriculum").get("kind") != "replay":
        return
    size = _part(data, "population").get("size", Population().size)
    if whole(size) not in (None, 1):
        must = "must be 1 for curriculum.kind: replay, which trains one agent"
        yield Finding(("population", "size"), must, show(size))
    for section in ("search", "policy_search"):
        given = _part(data, "algorithm", section)
        if given:
            must = f"must be left out for curriculum.kind: replay, whose {_HYPERPARAMETERS}"
            yield Finding(("algorithm", section), must, show([*given]))
    schedule = _part(data, "curriculum").get("schedule")
    if isinstance(schedule, list):
        yield from _changes(schedule, _part(data, "population").get("interval"))


def _changes(schedule: list[Any], interval: Any) -> Iterator[Finding]:
    before: int | None = None
    for place, change in enumerate(schedule):
        if not isinstance(change, dict):
            continue
        key, iteration = (*_SCHEDULE, place), whole(change.get("iteration"))
        if iteration is not None:
            yield from _in_order((*key, "iteration"), iteration, before, place)
            if change.get("hyperparameters") and place > 0:
                yield from _at_boundary((*key, "iteration"), iteration, interval)
            before = iteration
        for name, value in _part(change, "hyperparameters").items():
            if not _is_finite(value):
                must = "must be finite, since a journal holds nothing else"
                yield Finding((*key, "hyperparameters", name), must, show(value))
        changed = [word for word in ("distribution", "hyperparameters") if change.get(word)]
        if place == 0 and "distribution" not in changed:
            must = "must be given where the schedule begins"
            hint = "For example distribution: {kind: product, marginals: {...}}"
            yield Finding((*key, "distribution"), must, "nothing", hint)
        elif not changed and set(change) <= set(ScheduledChange.model_fields):
            yield Finding(key, "must hold a distribution, hyperparameters or both", "neither")


def _in_order(key: Path, iteration: int, before: int | None, place: int) -> Iterator[Finding]:
    if place == 0 and iteration > 0:
        yield Finding(key, "must be 0 where the schedule begins", show(iteration))
    elif before is not None and iteration <= before:
        yield Finding(key, f"must be above that of the change before it ({before})", f"{iteration}")


def _at_boundary(key: Path, iteration: int, interval: Any) -> Iterator[Finding]:
    """Hyperparameters change where a population decides."""
    every = Population().interval if interval is None else whole(interval)
    if every and iteration % every:
        said = f"{every}, its default" if interval is None else f"{every}"
        must = f"must be a multiple of population.interval ({said}) where hyperparameters change"
        hint = f"Nearest: {max(1, round(iteration / every)) * every}"
        yield Finding(key, must, f"{iteration}", hint)


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or math.isfinite(value)


def _part(data: Any, *path: str) -> Mapping[str, Any]:
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}
