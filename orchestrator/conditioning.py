"""What the agents are shown of the level: the values of some knobs, as numbers from -1 to 1.

A policy that sees the level can act on it from the first step on, instead of finding out about
it in the episode (contextual RL; Benjamins et al. 2023 compare both).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from orchestrator.checks import nearest, words
from orchestrator.distributions import EnvSpace
from orchestrator.frozen import text
from orchestrator.knobs import Cells, Choice, Knob, Numeric, Simplex

__all__ = ["Condition", "ShownToEach", "ShownToOne", "extended"]

Vector = npt.NDArray[Any]


class Condition:
    """A vector of numbers from -1 to 1 that says which values some knobs have in a level.

    ============  ============================================================
    knob          its part of the vector
    ============  ============================================================
    numeric       one number: where in the legal range, on the knob's scale
    choice        a number for each value: 1 for the one that it is, else -1
    simplex       a number for each term: its weight, from -1 (0) to 1 (1)
    cells         a number for each cell: 1 where it is set, else -1
    ============  ============================================================

    Attributes:
        names: the knobs, in the order of the vector.
        size: the length of the vector.

    Raises:
        ValueError: if a name is no knob's.
    """

    def __init__(self, space: EnvSpace, names: Iterable[str]) -> None:
        self.names = words("condition", names, at_least=0)
        for name in self.names:
            if name not in space.knobs:
                raise ValueError(
                    f"`condition` must name knobs, but got {name!r}{nearest(name, space.knobs)}"
                )
        self._knobs = tuple(space.knobs[name] for name in self.names)
        self.size = sum(_size(knob) for knob in self._knobs)

    def vector(self, level: Mapping[str, Any]) -> Vector:
        """The vector of a level, float32."""
        parts = (
            number
            for name, knob in zip(self.names, self._knobs, strict=True)
            for number in _numbers(knob, level[name])
        )
        return np.fromiter(parts, np.float32, self.size)


def extended(space: gymnasium.Space[Any], size: int) -> gymnasium.spaces.Box:
    """An observation space with room for a `Condition`'s vector behind each observation.

    Raises:
        ValueError: unless it is a Box of floats with one dimension.
    """
    if not (
        isinstance(space, gymnasium.spaces.Box)
        and len(space.shape) == 1
        and np.issubdtype(space.dtype, np.floating)
    ):
        raise ValueError(
            "observations must be a Box of floats with one dimension for the level to be "
            f"appended to them, but the space is {space}; a wrapper can make them one "
            "(gymnasium.wrappers.FlattenObservation), or the env can show its level itself"
        )
    dtype: Any = space.dtype
    ends = np.ones(size, dtype)
    return gymnasium.spaces.Box(
        np.concatenate((space.low, -ends)), np.concatenate((space.high, ends)), dtype=dtype
    )


class ShownToOne:
    """Ends every observation of a single agent with the level.

    Attributes:
        space: the observation space that comes of it.
    """

    space: Any

    def __init__(self, condition: Condition, space: gymnasium.Space[Any]) -> None:
        self._condition = condition
        self.space = extended(space, condition.size)

    def shows(self, level: Mapping[str, Any]) -> Callable[[Any], Any]:
        """What appends this level to an observation."""
        dtype = self.space.dtype
        vector = self._condition.vector(level).astype(dtype)

        def show(observation: Any) -> Vector:
            return np.concatenate((observation, vector), dtype=dtype, casting="same_kind")

        return show


class ShownToEach:
    """Ends every observation of several agents with the level.

    Attributes:
        space: the observation space of each agent that comes of it.
    """

    space: Any

    def __init__(self, condition: Condition, spaces: Mapping[Any, gymnasium.Space[Any]]) -> None:
        self._agents = {agent: ShownToOne(condition, space) for agent, space in spaces.items()}
        self.space = {agent: shown.space for agent, shown in self._agents.items()}

    def shows(self, level: Mapping[str, Any]) -> Callable[[Any], Any]:
        """What appends this level to the observations of those agents that have one."""
        agents = {agent: shown.shows(level) for agent, shown in self._agents.items()}

        def show(observations: Mapping[Any, Any]) -> dict[Any, Vector]:
            return {agent: agents[agent](each) for agent, each in observations.items()}

        return show


def _size(knob: Knob) -> int:
    match knob:
        case Numeric():
            return 1
        case Choice():
            return len(knob.values)
        case Simplex():
            return len(knob.terms)
        case Cells():
            return knob.size
    raise ValueError(f"`condition` knows no numbers for knobs of kind {knob.kind!r}")


def _numbers(knob: Knob, value: Any) -> Iterable[float]:
    match knob:
        case Numeric():
            return (2 * knob.to_unit(value) - 1,)
        case Choice():
            chosen = text(value)
            return (1.0 if text(each) == chosen else -1.0 for each in knob.values)
        case Simplex():
            return (2 * value[term] - 1 for term in knob.terms)
        case Cells():
            numbers = np.full(knob.size, -1.0)
            numbers[np.asarray(value, np.intp)] = 1.0
            return numbers.tolist()
    raise AssertionError(knob)
