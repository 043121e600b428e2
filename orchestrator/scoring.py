"""One number for a member's returns on a suite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

Aggregate = Literal["mean", "iqm", "cvar", "min"]


def aggregate(returns: Sequence[float], kind: Aggregate, alpha: float = 0.25) -> float:
    """Aggregate returns, one per level, into a score.

    Args:
        returns: shape (levels,), at least one. A return that is not finite makes the score
            minus infinity: such a member ranks last.
        kind: ``mean``; ``iqm``, the mean of the middle half (Agarwal et al. 2021, arXiv
            2108.13264; whole entries cut); ``cvar``, the mean of the worst share ``alpha``
            (Rockafellar and Uryasev 2000; the last of them counts in part where the share
            is no whole number of levels); ``min``.
        alpha: share in (0, 1] of the worst levels for ``cvar``.

    Raises:
        ValueError: if ``returns`` is empty, ``alpha`` is outside (0, 1], or ``kind`` is none
            of these.
    """
    if len(returns) == 0:
        raise ValueError("`returns` must hold at least one return, but it is empty")
    if not 0.0 < alpha <= 1.0:
        raise ValueError(f"`0 < alpha <= 1` must hold, but got {alpha=}")
    values = np.sort(np.asarray(returns, dtype=float))
    if not np.isfinite(values).all():
        return -math.inf
    if kind == "mean":
        return float(values.mean())
    if kind == "iqm":
        return _trimmed_mean(values, 0.25)
    if kind == "cvar":
        return _tail_mean(values, alpha)
    if kind == "min":
        return float(values[0])
    raise ValueError(f"`kind` must be one of mean, iqm, cvar and min, but got {kind!r}")


def _tail_mean(values: np.ndarray, share: float) -> float:
    """Mean of the lowest ``share`` of sorted values."""
    # How much of each entry lies in the share: all, a part of one, then nothing.
    within = np.clip(share * len(values) - np.arange(len(values)), 0.0, 1.0)
    return float((within * values).sum() / within.sum())


def _trimmed_mean(values: np.ndarray, share: float) -> float:
    """Mean without the lowest and highest ``share`` of sorted values (whole entries cut)."""
    cut = int(share * len(values))
    return float(values[cut : len(values) - cut].mean())
