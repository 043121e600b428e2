"""A student without an env: competence in each cell of skills, raised by practice within reach.

A smooth and noisy version of the toy students of Portelas et al., "Teacher algorithms for
curriculum learning of Deep RL in continuously parameterized environments" (2019): there too, the
space is cut into cells, playing in a cell raises what is returned in it, and a cell opens once
one beside it is mastered well enough.

In cell ``i`` the student has a competence ``c_i`` and expects the return ``v_i``, both in [0, 1].

An episode on a level that asks for cell ``i`` returns ``c_i`` + noise, the noise uniform to
either side of 0 up to ``min(1/4, c_i, 1 - c_i)``: returns stay in [0, 1], what cannot be done at
all returns 0, and what is mastered 1. (On the challenge `noisy` it is up to 1/4 everywhere.) An
episode is a success if it returns at least 1/2. So it is one with the probability
``p_i = clip(2 c_i - 1/2, 0, 1)``: never below a competence of 1/4, always from 3/4 on.

An episode counts as a single env step, which makes its GAE exactly ``return - v_i``. Its scores
are therefore ``l1 = |return - v_i|``, ``pvl = max(return - v_i, 0)``, ``value = v_i``.

After a batch of ``n`` episodes, ``n_i`` of them in cell ``i``, with ``k`` as in `skills.spread`:

- An episode teaches as much as it is within reach: ``z_i``, the highest ``p`` among cell ``i``
  and its eight neighbours; 0 if the skill cannot be had.
- Cell ``j`` is practised by ``m_j = Σ_i n_i z_i k_ij``.
- Competence that is not practised wears off, to what it was at first:
  ``c_j ← c_j(first) + (c_j - c_j(first)) exp(-forgetting · n · exp(-m_j))``.
- Practice raises it: ``c_j ← c_j + (1 - c_j) (1 - exp(-LEARNING · m_j))`` where it can be had.
- The expected return follows the returns nearby, within reach or not: with their mean ``r_j``,
  weighted by ``k``, ``v_j ← v_j + (1 - exp(-EXPECTING · Σ_i n_i k_ij)) (r_j - v_j)``.

The number of cells and `LEARNING` are such that domain randomization, on the challenge `plain`,
comes to nearly half of full competence in 4000 episodes: there is room above it and below. They
were chosen by its results, not by those of other curricula.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.curricula.challenges import Challenge
from benchmarks.curricula.skills import Cells, Floats, beside, spread
from orchestrator.curricula import Outcome
from orchestrator.distributions import Level

__all__ = ["EXPECTING", "LEARNING", "NOISE", "SOLVED", "Student", "success_rate"]

LEARNING = 0.02
EXPECTING = 0.1
NOISE = 0.25
SOLVED = 0.5


def success_rate(competence: Floats) -> Floats:
    """How likely an episode is a success, at each competence."""
    rate: Floats = np.clip((competence - SOLVED) / (2 * NOISE) + 0.5, 0.0, 1.0)
    return rate


@dataclass(frozen=True)
class Student:
    """A student of one challenge; a value, changed by making another.

    Attributes:
        competence, expected: ``c`` and ``v``, fields over the cells.
    """

    challenge: Challenge
    competence: Floats
    expected: Floats

    @classmethod
    def beginner(cls, challenge: Challenge) -> Student:
        """Before any training."""
        able = np.where(challenge.feasible, challenge.at_first, 0.0)
        return cls(challenge, able, np.zeros_like(able))

    def played(
        self, levels: Sequence[Level], rng: np.random.Generator, *, trained: bool, revision: int = 0
    ) -> list[Outcome]:
        """One episode on each level; the student stays as it is."""
        cells = self.challenge.cells(levels)
        able = self.competence.ravel()[cells]
        noise = np.minimum(NOISE, np.minimum(able, 1 - able))
        noise = np.maximum(noise, self.challenge.least_noise)
        totals = able + noise * rng.uniform(-1.0, 1.0, len(cells))
        values = self.expected.ravel()[cells]
        return [
            Outcome(
                level=level,
                total=total,
                length=1,
                success=total >= SOLVED,
                scores={"l1": abs(total - value), "pvl": max(total - value, 0.0), "value": value},
                trained=trained,
                revision=revision,
            )
            for level, total, value in zip(levels, totals.tolist(), values.tolist(), strict=True)
        ]

    def trained(self, outcomes: Sequence[Outcome]) -> Student:
        """The student after it has learnt from a batch of episodes."""
        cells = self.challenge.cells([each.level for each in outcomes])
        episodes = _summed(cells, np.ones(len(cells)), self.competence.shape)
        returned = _summed(
            cells, np.array([each.total for each in outcomes]), self.competence.shape
        )
        reach = np.where(self.challenge.feasible, beside(success_rate(self.competence)), 0.0)
        practice = spread(episodes * reach)
        return replace(
            self,
            competence=self._practised(practice, len(outcomes)),
            expected=self._expecting(spread(episodes), spread(returned)),
        )

    def returns(self, cells: Cells) -> Floats:
        """What levels that ask for these cells return on average."""
        means: Floats = self.competence.ravel()[cells]
        return means

    def _practised(self, practice: Floats, episodes: int) -> Floats:
        first = np.where(self.challenge.feasible, self.challenge.at_first, 0.0)
        worn = np.exp(-self.challenge.forgetting * episodes * np.exp(-practice))
        kept = first + (self.competence - first) * worn
        raised = kept + (1 - kept) * (1 - np.exp(-LEARNING * practice))
        competence: Floats = np.where(self.challenge.feasible, raised, 0.0)
        return competence

    def _expecting(self, near: Floats, returned: Floats) -> Floats:
        seen = near > 0
        mean = np.divide(returned, near, out=self.expected.copy(), where=seen)
        expected: Floats = self.expected + (1 - np.exp(-EXPECTING * near)) * (mean - self.expected)
        return expected


def _summed(cells: Cells, amounts: Floats, shape: tuple[int, ...]) -> Floats:
    summed = np.zeros(shape)
    np.add.at(summed.ravel(), cells, amounts)
    return summed
