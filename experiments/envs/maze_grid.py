"""The grid of a maze: what is legal on it, what a level means, and how far its goal is.

The cells of a grid of n by n are numbered row by row from the top left corner, from 0 to n² - 1.
Outside of it everything is wall.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import cache
from typing import Any, NamedTuple

from orchestrator.checks import naming
from orchestrator.env_space import EnvSpace, Level
from orchestrator.knobs import Cells, Integer

__all__ = [
    "LARGEST",
    "MOVES",
    "SIZE",
    "Layout",
    "checked",
    "default",
    "distance",
    "layout",
    "legal",
    "neighbours",
    "picture",
    "placed",
    "solvable",
]

SIZE = 13
"""Cells along each side, unless something else is said."""
LARGEST = 50
MOVES: tuple[tuple[int, int], ...] = ((-1, 0), (0, 1), (1, 0), (0, -1))
"""What each action adds to row and column: north, east, south, west."""


class Layout(NamedTuple):
    """Where everything is: `start` and `goal` are two cells without walls."""

    size: int
    walls: frozenset[int]
    start: int
    goal: int


@cache
def legal(size: int = SIZE) -> EnvSpace:
    """Every maze of this size: walls that leave two cells free, a start and a goal."""
    cells = size * size
    return EnvSpace(
        {
            "walls": Cells(cells, 0, cells - 2),
            "start": Integer(0, cells - 1),
            "goal": Integer(0, cells - 1),
        }
    )


def default(size: int = SIZE) -> Level:
    """No walls, and a way from the top left corner to the bottom right one."""
    return {"walls": [], "start": 0, "goal": size * size - 1}


def checked(level: Mapping[str, Any], rest: Mapping[str, Any], size: int) -> Level:
    """`level`, and what it leaves out from `rest`, in plain types.

    Raises:
        ValueError: naming every knob that is unknown or out of its legal range.
    """
    with naming("illegal level for Maze"):
        if not isinstance(level, Mapping):
            raise ValueError(f"it must be a mapping of knob to value, but got {level!r}")
        return legal(size).cast({**rest, **level})


def layout(level: Mapping[str, Any], size: int = SIZE) -> Layout:
    """Where everything is on a level; a knob that it leaves out is as in `default`.

    Raises:
        ValueError: if the level is not legal.
    """
    return placed(checked(level, default(size), size), size)


def placed(level: Level, size: int) -> Layout:
    """Where everything is on a level that `checked` returned.

    A start on a wall is moved to the nearest cell without, a goal on a wall or on the start to
    the nearest cell that is neither: nearest by moves without walls, of several the lowest number.
    """
    walls = frozenset(level["walls"])
    start = _nearest(level["start"], walls, size)
    return Layout(size, walls, start, _nearest(level["goal"], walls | {start}, size))


def distance(level: Mapping[str, Any], size: int = SIZE) -> int | None:
    """Moves on the shortest way from start to goal; None if there is no way.

    Raises:
        ValueError: if the level is not legal.
    """
    maze, ways = layout(level, size), neighbours(size)
    seen, edge, moves = {maze.start}, {maze.start}, 0
    while edge:
        if maze.goal in edge:
            return moves
        edge = {there for cell in edge for there in ways[cell]} - seen - maze.walls
        seen |= edge
        moves += 1
    return None


def solvable(level: Mapping[str, Any], size: int = SIZE) -> bool:
    """Whether there is a way from start to goal.

    Raises:
        ValueError: if the level is not legal.
    """
    return distance(level, size) is not None


@cache
def neighbours(size: int) -> tuple[tuple[int, ...], ...]:
    """Where each of `MOVES` leads from each cell without walls; at the border, nowhere else."""

    def clipped(position: int) -> int:
        return min(max(position, 0), size - 1)

    places = [divmod(cell, size) for cell in range(size * size)]
    return tuple(
        tuple(clipped(row + down) * size + clipped(column + right) for down, right in MOVES)
        for row, column in places
    )


def picture(maze: Layout, agent: int) -> str:
    """A maze in text, within its outer walls: ``#`` wall, ``S`` start, ``G`` goal, ``@`` agent."""
    marks = dict.fromkeys(maze.walls, "#") | {maze.start: "S", maze.goal: "G", agent: "@"}
    size = maze.size
    rows = ["".join(marks.get(row * size + at, ".") for at in range(size)) for row in range(size)]
    border = "#" * (size + 2)
    return "\n".join([border, *(f"#{row}#" for row in rows), border])


def _nearest(cell: int, taken: Container[int], size: int) -> int:
    """The first cell that is not `taken`, in rings of ever more moves around `cell`."""
    row, column = divmod(cell, size)
    for reach in range(2 * size - 1):
        for at in range(max(row - reach, 0), min(row + reach, size - 1) + 1):
            aside = reach - abs(at - row)
            for across in (column - aside, column + aside):
                if 0 <= across < size and at * size + across not in taken:
                    return at * size + across
    raise AssertionError("a legal maze has two cells without walls")
