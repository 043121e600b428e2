"""Small changes to a level, as ACCEL makes them (Parker-Holder et al. 2022, arXiv 2203.01302)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from orchestrator.env_space import EnvSpace, Level
from orchestrator.frozen import text

__all__ = ["edit"]


def edit(
    level: Mapping[str, Any], space: EnvSpace, rng: np.random.Generator, steps: int = 1
) -> Level:
    """`level` after `steps` random moves, each of one knob to a neighbour of its value.

    A move that would lead back to where it began is followed by one more: what comes out is
    `level` itself only if no other level is legal.

    Raises:
        ValueError: if `level` is not in `space`.
    """
    before = space.cast(level)
    after = before
    for _ in range(steps):
        after = _moved(after, space, rng)
    return _moved(after, space, rng) if text(after) == text(before) else after


def _moved(level: Level, space: EnvSpace, rng: np.random.Generator) -> Level:
    """With one knob moved, drawn among those that have another value."""
    for index in rng.permutation(len(space.names)):
        name = space.names[index]
        value = space.knobs[name].edited(level[name], rng)
        if text(value) != text(level[name]):
            return {**level, name: value}
    return level
