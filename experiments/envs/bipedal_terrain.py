"""The ground of BipedalWalker: a rough line with pits, stumps and flights of stairs.

Lengths within a level are in steps of `STEP` metres, as in gymnasium and dcd; coordinates are in
metres. Everything is drawn from the generator that is handed in.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["LENGTH", "MIN_PIT", "MIN_RISE", "STEP", "Block", "Ground", "Point", "Recipe", "laid"]

#: A corner or a point of the ground: (x, y) in metres.
Point = tuple[float, float]
#: The four corners of a solid block.
Block = tuple[Point, Point, Point, Point]

_PIXELS = 30  # in a metre; gymnasium's numbers are in pixels.
#: Metres between two points of the ground.
STEP = 14 / _PIXELS
#: Points of the ground.
LENGTH = 200
#: Points before the first obstacle, which have no roughness either.
START = 20
#: Height in metres where the ground starts, and to which it tends.
LEVEL = 400 / _PIXELS / 4

#: Pits are dug if they may be this wide, stumps and stairs built if they may rise by that much:
#: dcd's limits, in steps.
MIN_PIT = 0.8
MIN_RISE = 0.2

_PIT_DEPTH = 4
_STUMP_WIDTH = 1
_STAIR_WIDTH = 4
#: Box2D takes the corners of anything lower, in steps, for the same point.
_SLIGHT = 0.01


@dataclass(frozen=True)
class Recipe:
    """What the ground is drawn from.

    Attributes:
        roughness: how much each change of slope counts; 1 is gymnasium's own.
        pit: least and greatest width of a pit.
        stump: least and greatest height of a stump.
        stair: least and greatest rise of a flight's steps.
        stair_steps: steps of a flight.
    """

    roughness: float
    pit: tuple[float, float]
    stump: tuple[float, float]
    stair: tuple[float, float]
    stair_steps: int


@dataclass(frozen=True)
class Ground:
    """A line of `LENGTH` points from left to right, and the blocks that stand on it or in it."""

    line: list[Point]
    blocks: list[Block]


def laid(recipe: Recipe, rng: np.random.Generator) -> Ground:
    """Ground by `recipe`: grass, and after each stretch of it an obstacle of a random kind.

    Without obstacles the draws are gymnasium's, in its order.
    """
    laying = _Laying(recipe, rng)
    kinds = laying.kinds()
    length = START
    while laying.grass(length):
        if kinds:
            kinds[rng.integers(len(kinds))]()
        length = laying.stretch()
    return Ground(laying.line[:LENGTH], laying.blocks)


class _Laying:
    """Ground that grows to the right."""

    def __init__(self, recipe: Recipe, rng: np.random.Generator) -> None:
        self._recipe = recipe
        self._rng = rng
        self._y = LEVEL
        self._slope = 0.0
        self.line: list[Point] = []
        self.blocks: list[Block] = []

    def kinds(self) -> list[Callable[[], None]]:
        """What lays each kind of obstacle that the recipe has."""
        recipe = self._recipe
        kinds: list[Callable[[], None]] = []
        if recipe.stump[1] >= MIN_RISE:
            kinds.append(self._stump)
        if recipe.stair[1] >= MIN_RISE and recipe.stair_steps > 0:
            kinds.append(self._stairs)
        if recipe.pit[1] >= MIN_PIT:
            kinds.append(self._pit)
        return kinds

    def stretch(self) -> int:
        """Points until the next change."""
        return int(self._rng.integers(5, 10))

    def grass(self, length: int) -> bool:
        """Lay rough ground whose first point is flat; whether there was room for all of it."""
        room = LENGTH - len(self.line)
        for place in range(min(length, room)):
            if place:
                self._roughen()
            self._point(len(self.line), self._y)
        return length <= room

    def _roughen(self) -> None:
        slope = 0.8 * self._slope + 0.01 * float(np.sign(LEVEL - self._y))
        if len(self.line) > START:
            slope += self._rng.uniform(-1, 1) / _PIXELS
        self._slope = slope
        self._y += self._recipe.roughness * slope

    def _stump(self) -> None:
        height = self._rng.uniform(*self._recipe.stump)
        self._block(len(self.line), _STUMP_WIDTH, self._y + height * STEP, height)
        for _ in range(self.stretch()):
            self._point(len(self.line), self._y)

    def _stairs(self) -> None:
        rise = self._rng.uniform(*self._recipe.stair)
        up = self._rng.random() > 0.5
        first, y = len(self.line), self._y
        self._point(first, y)
        for step in range(self._recipe.stair_steps):
            # The ground runs hidden: along the tops on the way up, along the feet on the way down.
            self._y = y + (step + 1) * (rise if up else -rise) * STEP
            top = self._y if up else self._y + rise * STEP
            self._block(first + step * _STAIR_WIDTH, _STAIR_WIDTH, top, rise)
            for _ in range(_STAIR_WIDTH):
                self._point(len(self.line), self._y)

    def _pit(self) -> None:
        gap = self._rng.uniform(*self._recipe.pit)
        first = len(self.line)
        self._block(first, 1, self._y, _PIT_DEPTH)
        self._block(first + 1 + gap, 1, self._y, _PIT_DEPTH)
        self._point(first, self._y)
        for place in range(1, math.ceil(gap) + 2):
            self._point(first + place, self._y - _PIT_DEPTH * STEP)
        self._point(first + 2 + gap, self._y)

    def _point(self, place: float, y: float) -> None:
        self.line.append((place * STEP, y))

    def _block(self, place: float, width: float, top: float, height: float) -> None:
        """Add a block from `place` on, `width` wide and `height` high, all three in steps."""
        if height < _SLIGHT:
            return
        left, right = place * STEP, (place + width) * STEP
        bottom = top - height * STEP
        self.blocks.append(((left, top), (right, top), (right, bottom), (left, bottom)))
