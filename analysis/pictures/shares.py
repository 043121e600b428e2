"""Which share of the legal ranges distributions cover, knob by knob and for members together."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.pictures.population import Population
from orchestrator.knobs import Choice, Integer, Knob, Numeric, Simplex, ranged

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


def over_time(population: Population, knob: str) -> tuple[Array, Array, Array]:
    """The share that each member, and that all of them together, cover of a knob.

    Together they cover the union of their ranges; of a choice what their mean weights do; of a
    simplex at least what the one of them does that covers most.

    Returns:
        Edges in training iterations, shape (times + 1,); shares of members, shape
        (members, times), NaN outside a member's life; shares of all, shape (times,).
    """
    frame = population.run.distributions
    changes = frame[frame["knob"] == knob]
    held = population.held(changes)
    legal = population.knob(knob)
    own = held.values(covered(legal, changes))
    numbers = ranged(legal)
    if numbers is not None:
        low, high = (held.values(end) for end in interval(numbers, changes))
        return held.edges, own, union(low, high)
    if isinstance(legal, Choice):
        rows = [list(each.values()) for each in changes["weights"]]
        columns = np.array(rows, dtype=float).reshape(-1, len(legal.values)).T
        mean = np.array([known_mean(held.values(column)) for column in columns])
        return held.edges, own, perplexity(mean.T)
    return held.edges, own, _largest(own)


def of_space(population: Population, knob: str | None = None) -> tuple[Array, Array, Array]:
    """As `over_time`, of one knob, or of the mean over all knobs whose share can be told."""
    names = population.space.names if knob is None else (knob,)
    edges, own, together = zip(*(over_time(population, name) for name in names), strict=True)
    return edges[0], known_mean(np.array(own)), known_mean(np.array(together))


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
