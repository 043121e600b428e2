"""The frames of a comparison: profiles, curves, their bands, and the scores themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.comparison import statistics
from analysis.comparison.curves import on_grid
from analysis.comparison.estimating import Sample, interval
from analysis.comparison.statistics import Floats

__all__ = ["bands", "curves", "profiles", "scores"]

_THRESHOLDS = 101
"""Of a performance profile, from the lowest return to the highest."""

_PROFILES = {"arm": "str", "threshold": "float64"} | dict.fromkeys(
    ("share", "low", "high"), "float64"
)
_CURVES = {"arm": "str", "seed": "int64", "env_steps": "float64", "score": "float64"}
_BANDS = {"arm": "str", "env_steps": "float64"} | dict.fromkeys(("mean", "low", "high"), "float64")
_BANDS |= {"seeds": "int64"}
_SCORES = {"arm": "str", "seed": "int64", "level": "int64", "return": "float64"}


def profiles(samples: Sequence[Sample]) -> pd.DataFrame:
    """Performance profiles of all arms at the same thresholds."""
    pooled = np.concatenate([sample.scores.ravel() for sample in samples])
    thresholds = np.unique(np.linspace(pooled.min(), pooled.max(), _THRESHOLDS))
    parts = []
    for sample in samples:
        shares = statistics.profile(sample.scores, thresholds)
        parts.append((sample.name, thresholds, *_over_seeds(shares, sample)))
    return _frame(_PROFILES, parts)


def curves(samples: Sequence[Sample]) -> pd.DataFrame:
    """The learning curve of every seed that counts, a row for each boundary."""
    parts = [
        (sample.name, seed.seed, seed.curve.steps, seed.curve.scores)
        for sample in samples
        for seed in sample.contender.counted
        if seed.curve is not None
    ]
    return _frame(_CURVES, parts)


def bands(samples: Sequence[Sample]) -> pd.DataFrame:
    """The mean learning curve of every arm, where there is a score of all of its seeds."""
    parts = []
    for sample in samples:
        found = on_grid(sample.curves)
        if found is not None:
            steps, held = found
            parts.append((sample.name, steps, *_over_seeds(held, sample), len(held)))
    return _frame(_BANDS, parts)


def scores(samples: Sequence[Sample]) -> pd.DataFrame:
    """A row for each level of each seed that counts."""
    parts = [
        (sample.name, seed.seed, np.arange(len(returns)), returns)
        for sample in samples
        for seed, returns in zip(sample.contender.counted, sample.scores, strict=True)
    ]
    return _frame(_SCORES, parts)


def _over_seeds(values: Floats, sample: Sample) -> tuple[Floats, Floats, Floats]:
    """Mean, low and high of each column; (seeds, n) to three of (n,)."""
    resampled = statistics.bootstrap(values, _column_means, sample.draws)
    return (_column_means(values), *interval(resampled, sample))


def _column_means(values: Floats) -> Floats:
    means: Floats = values.mean(axis=-2)
    return means


def _frame(columns: Mapping[str, str], parts: Iterable[Sequence[object]]) -> pd.DataFrame:
    """Parts one under the other; the same columns and types even without any."""
    frames = [pd.DataFrame(dict(zip(columns, part, strict=True))) for part in parts]
    empty = pd.DataFrame({name: [] for name in columns})
    return pd.concat(frames or [empty], ignore_index=True).astype(dict(columns))
