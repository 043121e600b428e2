"""Which share of its legal values a knob is drawn from: by a member, and by members together."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from orchestrator.knobs import Choice, Integer, Knob, Numeric, Simplex, ranged

__all__ = ["covered", "interval", "known_mean", "perplexity", "together", "union"]

Array = NDArray[np.float64]


def covered(knob: Knob, changes: pd.DataFrame) -> Array:
    """The share of its legal values that a knob is drawn from, in each row of ``changes``.

    Of numbers it is the width in unit space, a whole number as wide as the step to the next. Of a
    choice it is the number of values that a uniform draw of the same entropy would have; of a
    simplex its volume around one center. NaN for a simplex that is drawn around several.

    Returns:
        Shape (rows,), in [0, 1].
    """
    numbers = ranged(knob)
    if numbers is not None:
        low, high = interval(numbers, changes)
        return high - low
    if isinstance(knob, Choice):
        weights = [list(each.values()) for each in changes["weights"]]
        return perplexity(np.array(weights, dtype=float).reshape(-1, len(knob.values)))
    assert isinstance(knob, Simplex)
    return np.asarray(changes["spread"].to_numpy(dtype=float) ** (len(knob.terms) - 1))


def interval(knob: Numeric, changes: pd.DataFrame) -> tuple[Array, Array]:
    """Both ends in unit space, shape (rows,); all of it if there is but one legal value."""
    low, high = (changes[end].to_numpy(dtype=float) for end in ("low", "high"))
    step = 1 if isinstance(knob, Integer) else 0
    if knob.low == knob.high:
        return np.zeros(len(low)), np.ones(len(high))
    onto = np.log if knob.scale == "log" else np.asarray
    first, last = onto(np.array([knob.low, knob.high + step], dtype=float))
    begin, end = ((onto(each) - first) / (last - first) for each in (low, high + step))
    return np.clip(begin, 0, 1), np.clip(end, 0, 1)


def perplexity(weights: Array) -> Array:
    """exp(entropy) over the number of values: 1 where all are as likely. Shape (rows,)."""
    logs = np.log(weights, where=weights > 0, out=np.zeros_like(weights))
    share: Array = np.exp(-(weights * logs).sum(axis=-1)) / weights.shape[-1]
    return share


def together(knob: Knob, changes: pd.DataFrame, held: Callable[[Array], Array]) -> Array:
    """The share that members cover together, over time.

    That is the union of their ranges; of a choice what their mean weights cover; of a simplex at
    least what the one of them does that covers most.

    Args:
        changes: rows of a run's ``distributions``, of this knob.
        held: from a value for each of these rows to the one that each member holds at each time,
            shape (members, times), NaN where it holds none.

    Returns:
        Shape (times,), in [0, 1].
    """
    numbers = ranged(knob)
    if numbers is not None:
        low, high = (held(end) for end in interval(numbers, changes))
        return union(low, high)
    if isinstance(knob, Choice):
        rows = [list(each.values()) for each in changes["weights"]]
        columns = np.array(rows, dtype=float).reshape(-1, len(knob.values)).T
        mean = np.array([known_mean(held(column)) for column in columns])
        return perplexity(mean.T)
    return _largest(held(covered(knob, changes)))


def union(low: Array, high: Array) -> Array:
    """The length of the union of intervals at each time.

    Args:
        low, high: shape (intervals, times); NaN for none.
    """
    lows, highs = np.nan_to_num(low, nan=math.inf), np.nan_to_num(high, nan=-math.inf)
    order = np.argsort(lows, axis=0)
    lows, highs = np.take_along_axis(lows, order, 0), np.take_along_axis(highs, order, 0)
    reached = np.maximum.accumulate(highs, axis=0)
    before = np.vstack([np.full((1, lows.shape[1]), -math.inf), reached[:-1]])
    added = np.clip(highs - np.maximum(lows, before), 0, None)
    length: Array = np.where(np.isfinite(lows), added, 0.0).sum(axis=0)
    return length


def known_mean(values: Array) -> Array:
    """The mean along the first axis of what is not NaN; NaN where all is."""
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _largest(values: Array) -> Array:
    largest = np.where(np.isfinite(values), values, -math.inf).max(axis=0, initial=-math.inf)
    return np.where(np.isfinite(largest), largest, np.nan)
