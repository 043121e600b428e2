"""Maze: find the goal among walls, seeing only what is near; a level is the whole maze."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from numbers import Integral
from types import MappingProxyType
from typing import Any, ClassVar

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete

from experiments.envs.maze_grid import (
    LARGEST,
    MOVES,
    SIZE,
    Layout,
    checked,
    default,
    distance,
    layout,
    legal,
    neighbours,
    picture,
    placed,
    solvable,
)
from orchestrator.checks import nearest
from orchestrator.knobs import Knob

__all__ = ["LONGEST", "Maze", "distance", "layout", "legal", "solvable"]

LONGEST = 10_000
"""The largest `max_steps`, at which an episode of a suite is cut in any env."""

_SIGHT = 2
"""How many cells the agent sees to each side."""
_SEEN = (2 * _SIGHT + 1) ** 2
_MOVED = 2 * _SEEN
_POINTED = _MOVED + len(MOVES)
_TILE = 8
"""Pixels along each side of a cell."""

Views = npt.NDArray[np.float32]


class Maze(gymnasium.Env[npt.NDArray[np.float32], int]):
    """A maze of n by n cells, as in minigrid and in the literature on environment design.

    The actions are north, east, south and west; a move into a wall or out of the grid leaves the
    agent where it is. The agent observes the 5 by 5 cells around it, first which of them are
    walls (all are, outside the grid), then which is the goal, each row by row; and after them its
    last action, one of four. Nothing tells it where in the maze it is. With `compass` follow how
    far the goal lies to the south and to the east, as shares of n.

    The reward is 1 - 0.9 t / `max_steps` (minigrid's) for reaching the goal with the t-th action,
    and nought before. `info` of the last step says in ``is_success`` whether it was reached.
    Nothing is random but the level.

    The constructor's config has, besides knobs, `size` (n, 13), `max_steps` (250), after which an
    episode is truncated, and `compass` (false). They are no knobs: cells are numbered by the size,
    and an agent's spaces are the same on every level.

    knob | meaning
    --- | ---
    walls | cells, numbered row by row from the top left; at least two of the grid are left free
    start | the cell that the agent starts from
    goal | the cell where the episode ends

    A start or a goal that lies on a wall, or a goal on the start, counts as the nearest free cell
    (`maze_grid.placed`); the level stays as it was given.
    """

    #: The env's knobs, as they are at the default size.
    SETTABLE: ClassVar[Mapping[str, Knob]] = legal().knobs
    #: Keys of the config that are no knobs, and their defaults.
    FIXED: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {"size": SIZE, "max_steps": 250, "compass": False}
    )
    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 8}  # noqa: RUF012

    def __init__(
        self, config: Mapping[str, Any] | None = None, render_mode: str | None = None
    ) -> None:
        """`config` fixes knobs; raises ValueError for an unknown key or an illegal value."""
        fixed, knobs = _parted({} if config is None else config)
        modes = self.metadata["render_modes"]
        if render_mode is not None and render_mode not in modes:
            raise ValueError(f"`render_mode` must be one of {modes}, but got {render_mode!r}")
        self.render_mode = render_mode
        self.size: int = _whole("size", fixed["size"], 2, LARGEST)
        self.max_steps: int = _whole("max_steps", fixed["max_steps"], 1, LONGEST)
        self.compass = _true_or_false("compass", fixed["compass"])
        low = np.zeros(_POINTED + (2 if self.compass else 0), np.float32)
        low[_POINTED:] = -1
        self.observation_space = Box(low, np.ones_like(low), dtype=np.float32)
        self.action_space = Discrete(len(MOVES))
        self._ways = neighbours(self.size)
        self._fixed = default(self.size)
        self.set_level(knobs)
        self._fixed = self.level

    @property
    def level(self) -> dict[str, Any]:
        """Every knob's present value."""
        return {**self._level, "walls": list(self._level["walls"])}

    @property
    def layout(self) -> Layout:
        """Where everything is on the present level."""
        return self._layout

    def set_level(self, level: Mapping[str, Any]) -> None:
        """Set the knobs that `level` names; to be called before `reset`.

        Knobs that it does not name return to their values in the constructor's config, so the env
        depends on this level alone and not on the ones before it. Raises ValueError, and changes
        nothing, if a knob is unknown or a value illegal.
        """
        values = checked(level, self._fixed, self.size)
        self._layout = placed(values, self.size)
        self._level = values
        self._views = _views(self._layout, compass=self.compass)
        self._cell, self._steps = self._layout.start, 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Put the agent on the start."""
        super().reset(seed=seed, options=options)
        self._cell, self._steps = self._layout.start, 0
        return self._views[self._cell].copy(), {}

    def step(
        self, action: int
    ) -> tuple[npt.NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Move by one cell, unless there is a wall."""
        there = self._ways[self._cell][action]
        if there not in self._layout.walls:
            self._cell = there
        self._steps += 1
        observation = self._views[self._cell].copy()
        observation[_MOVED + action] = 1.0
        if self._cell == self._layout.goal:
            reward = 1 - 0.9 * self._steps / self.max_steps
            return observation, reward, True, False, {"is_success": True}
        if self._steps >= self.max_steps:
            return observation, 0.0, False, True, {"is_success": False}
        return observation, 0.0, False, False, {}

    def render(self) -> Any:
        """The whole maze: a text for ``ansi``, an array of pixels for ``rgb_array``."""
        if self.render_mode == "ansi":
            return picture(self._layout, self._cell)
        if self.render_mode == "rgb_array":
            return _pixels(self._layout, self._cell)
        return None


def _views(maze: Layout, *, compass: bool) -> Views:
    """What the agent observes in each cell, but for its last action; one row a cell."""
    size = maze.size
    frame, inside, windows = _frame(size)
    walls, goal = frame.copy(), np.zeros_like(frame)
    walls[inside[list(maze.walls)]] = 1
    goal[inside[maze.goal]] = 1
    views = np.zeros((size * size, _POINTED + (2 if compass else 0)), np.float32)
    views[:, :_SEEN] = walls[windows]
    views[:, _SEEN:_MOVED] = goal[windows]
    if compass:
        cells = np.arange(size * size)
        views[:, _POINTED] = (maze.goal // size - cells // size) / size
        views[:, _POINTED + 1] = (maze.goal % size - cells % size) / size
    return views


@cache
def _frame(size: int) -> tuple[Views, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """A grid with outer walls as wide as the agent sees, as a flat array of 0 and 1 (wall).

    With it, the place of each cell in it, and the places that are seen from each cell.
    """
    width = size + 2 * _SIGHT
    places = np.arange(width * width).reshape(width, width)
    inside = places[_SIGHT:-_SIGHT, _SIGHT:-_SIGHT].ravel()
    frame = np.ones(width * width, np.float32)
    frame[inside] = 0
    around = np.arange(-_SIGHT, _SIGHT + 1)
    steps = (around[:, None] * width + around[None, :]).ravel()
    return frame, inside, inside[:, None] + steps


def _pixels(maze: Layout, agent: int) -> npt.NDArray[np.uint8]:
    colours = {"#": (90, 90, 90), ".": (245, 245, 245), "S": (170, 200, 235)}
    colours |= {"G": (0, 158, 115), "@": (213, 94, 0)}
    rows = [[colours[mark] for mark in row] for row in picture(maze, agent).split("\n")]
    return np.array(rows, np.uint8).repeat(_TILE, axis=0).repeat(_TILE, axis=1)


def _parted(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values of `Maze.FIXED`, and those of knobs."""
    fixed, knobs = Maze.FIXED, Maze.SETTABLE
    known = (*fixed, *knobs)
    for name in config:
        if name not in known:
            raise ValueError(f"Maze takes no {name!r}{nearest(name, known)}")
    return (
        {name: config.get(name, value) for name, value in fixed.items()},
        {name: config[name] for name in config if name in knobs},
    )


def _whole(name: str, value: object, low: int, high: int) -> int:
    if type(value) is bool or not isinstance(value, Integral) or not low <= int(value) <= high:
        raise ValueError(f"`{name}` must be a whole number from {low} to {high}, but got {value!r}")
    return int(value)


def _true_or_false(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"`{name}` must be true or false, but got {value!r}")
    return value
