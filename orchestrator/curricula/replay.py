"""How likely each level of a buffer is to be replayed: by the rank of its score, and by its age.

The rules of Prioritized Level Replay (Jiang et al. 2021, arXiv 2010.03934):
``P = (1 - staleness) * P_score + staleness * P_stale``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "rank_weights", "replay_weights", "staleness_weights"]

Floats = npt.NDArray[np.float64]


def replay_weights(
    scores: Sequence[float],
    played: Sequence[int],
    clock: int,
    *,
    temperature: float,
    staleness: float,
) -> Floats:
    """The probability of each level to be the next that is replayed, shape ``(levels,)``.

    Args:
        scores: of the levels, in any unit; at least one.
        played: what the clock showed when each was last played.
        clock: what it shows now; it counts episodes.
        temperature: 0 replays the highest score alone, infinity all scores alike; above 0.
        staleness: share given to levels that were not played for long, in [0, 1].
    """
    by_score = rank_weights(scores, temperature)
    by_age = staleness_weights(played, clock)
    mixed: Floats = (1 - staleness) * by_score + staleness * by_age
    return mixed


def rank_weights(scores: Sequence[float], temperature: float) -> Floats:
    """Proportional to ``rank ** (-1 / temperature)``; rank 1 is the highest score.

    Of equal scores, the one that stands earlier in the list ranks higher.
    """
    highest_first = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    ranks = np.empty(len(scores), dtype=np.float64)
    ranks[highest_first] = np.arange(1, len(scores) + 1)
    return _normalised(ranks ** (-1.0 / temperature))


def staleness_weights(played: Sequence[int], clock: int) -> Floats:
    """Proportional to the episodes since each level was last played; alike if all are fresh."""
    ages = clock - np.asarray(played, dtype=np.float64)
    return _normalised(ages if ages.any() else np.ones_like(ages))


def _normalised(weights: Floats) -> Floats:
    shares: Floats = weights / weights.sum()
    return shares
