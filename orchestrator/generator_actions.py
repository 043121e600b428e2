"""How a generator policy sets a level: one action, with a part for each knob."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete, MultiDiscrete

from orchestrator.env_space import EnvSpace, Level
from orchestrator.frozen import thaw
from orchestrator.knobs import Cells, Choice, Integer, Knob, Numeric, Simplex

__all__ = ["MOST_ONE_BY_ONE", "GeneratorActions"]

MOST_ONE_BY_ONE = 16
"""Integer knobs with up to so many values are chosen from like a choice's; longer ones, where
neighbours are alike, are points on a line."""

Decode = Callable[[Any, np.random.Generator], Any]


class GeneratorActions:
    """The action space of a generator, and the level that an action stands for.

    An action is a dict with a part for each knob. Every legal value can be reached but those of
    a simplex between floats:

    =====================  ===================  ==================================================
    knob                   part                 value
    =====================  ===================  ==================================================
    continuous             Box from -1 to 1     there in the legal range, on the knob's scale
    integer, few values    Discrete             that one
    integer, many values   Box from -1 to 1     there in the legal range, rounded
    choice                 Discrete             that one
    simplex                Box from -1 to 1     a weight for each term, 0 at -1; divided by their
                                                sum (all of them 0: equal weights)
    cells                  MultiDiscrete of 2s  the cells that are 1; too many lose, and too few
                                                gain, as many as that takes, drawn at random
    =====================  ===================  ==================================================

    Attributes:
        space: the action space: a gymnasium Dict, which RLlib's PPO, APPO and IMPALA act in
            with one distribution for each part.

    Raises:
        ValueError: if there are no knobs, or one is of a kind that no action can set; names it.
    """

    def __init__(self, space: EnvSpace) -> None:
        if not space.knobs:
            raise ValueError(
                "a generator must have at least one knob to set, but the env space has none"
            )
        parts = {name: _part(name, knob) for name, knob in space.knobs.items()}
        self.space = gymnasium.spaces.Dict({name: part for name, (part, _) in parts.items()})
        self._decode = {name: decode for name, (_, decode) in parts.items()}

    def level(self, action: Mapping[str, Any], rng: np.random.Generator) -> Level:
        """The legal level of an action; whatever lies outside a Box is clipped.

        Raises:
            ValueError: if a part of the action is not a number; names the knob.
        """
        level = {}
        for name, decode in self._decode.items():
            part = np.asarray(action[name])
            if not np.isfinite(part).all():
                raise ValueError(f"a generator must give knob {name!r} finite numbers, got {part}")
            level[name] = decode(part, rng)
        return level


def _part(name: str, knob: Knob) -> tuple[gymnasium.Space[Any], Decode]:
    match knob:
        case Integer() if knob.high - knob.low < MOST_ONE_BY_ONE:
            low = knob.low
            return Discrete(knob.high - low + 1), lambda part, _: low + int(part)
        case Numeric():
            return _line(1), lambda part, _: knob.from_unit((float(part[0]) + 1) / 2)
        case Choice():
            values = knob.values
            return Discrete(len(values)), lambda part, _: thaw(values[int(part)])
        case Simplex():
            return _line(len(knob.terms)), lambda part, _: _blend(knob, part)
        case Cells():
            return MultiDiscrete([2] * knob.size), lambda part, rng: _cells(knob, part, rng)
    raise ValueError(f"a generator cannot set knob {name!r}, which is of kind {knob.kind!r}")


def _line(size: int) -> Box:
    return Box(-1.0, 1.0, (size,), np.float32)


def _blend(knob: Simplex, part: Any) -> dict[str, float]:
    weights = [float(weight) for weight in (np.clip(part, -1.0, 1.0) + 1) / 2]
    total = math.fsum(weights)
    if total == 0:
        weights, total = [1.0] * len(weights), float(len(weights))
    return {term: weight / total for term, weight in zip(knob.terms, weights, strict=True)}


def _cells(knob: Cells, part: Any, rng: np.random.Generator) -> list[int]:
    marked, clear = np.flatnonzero(part), np.flatnonzero(part == 0)
    count = min(max(marked.size, knob.count.low), knob.count.high)
    if marked.size > count:
        marked = rng.permutation(marked)[:count]
    else:
        marked = np.concatenate((marked, rng.permutation(clear)[: count - marked.size]))
    cells: list[int] = np.sort(marked).tolist()
    return cells
