"""A student of mazes without an env: it walks the shortest way, but for wrong moves.

Each move is right with the probability ``q``, the student's skill. A wrong one has to be taken
back, so a maze whose goal is ``L`` moves away takes ``T = L + 2 W`` moves, with ``W`` wrong ones
before the ``L`` right ones: negative binomial. The episode is a success if ``T`` is within the
student's budget of moves, and returns then what `Maze` returns: ``1 - 0.9 T / budget``. Else,
and always where there is no way, it returns 0.

It learns from successes alone, as from a sparse reward: each takes `LEARNING` of the way to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

__all__ = ["LEARNING", "MazeStudent"]

LEARNING = 0.0001
Floats = npt.NDArray[np.float64]
Ways = Sequence[int | None]
"""How many moves away the goals are; None where there is no way."""


@dataclass(frozen=True)
class MazeStudent:
    """A value, changed by making another.

    Attributes:
        budget: moves after which an episode ends.
        skill: how likely each move is right.
    """

    budget: int
    skill: float = 0.5

    def played(self, ways: Ways, rng: np.random.Generator) -> Floats:
        """The return of one episode in each maze."""
        moves = np.array([self.budget + 1 if way is None else way for way in ways])
        taken = moves + 2 * rng.negative_binomial(moves, self.skill)
        returns: Floats = np.where(taken <= self.budget, 1 - 0.9 * taken / self.budget, 0.0)
        return returns

    def trained(self, returns: Floats) -> MazeStudent:
        """After episodes that returned so much."""
        left = (1 - self.skill) * (1 - LEARNING) ** int((returns > 0).sum())
        return replace(self, skill=1 - left)
