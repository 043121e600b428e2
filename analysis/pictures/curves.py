"""Arms side by side: learning curves with their intervals, and performance profiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from numpy.typing import NDArray

from analysis.pictures import legends, marks
from analysis.pictures.style import looks
from orchestrator.pictures import counted

_BAND: dict[str, Any] = {"step": "post", "alpha": 0.15, "linewidth": 0}
_MEAN: dict[str, Any] = {"drawstyle": "steps-post", "linewidth": 1.6}
_SEED: dict[str, Any] = {
    "drawstyle": "steps-post",
    "alpha": 0.35,
    "linewidth": 0.7,
    "markersize": 3,
}


def learning_curves(
    bands: pd.DataFrame,
    ax: Axes,
    *,
    curves: pd.DataFrame | None = None,
    arms: Sequence[str] | None = None,
) -> Axes:
    """Draw how good each arm is after so many env steps: its mean over seeds, and its interval.

    Args:
        bands: `analysis.Comparison.bands`. It has none of an arm whose seeds were never scored at
            the same number of env steps.
        ax: is drawn on, and returned.
        curves: `analysis.Comparison.curves`, to draw each seed as well.
        arms: all that there are, if the frames have some of them only: their colours follow from
            it.
    """
    drawn = list(dict.fromkeys([*bands["arm"], *([] if curves is None else curves["arm"])]))
    styles = looks(drawn if arms is None else arms)
    labels: dict[str, str] = {}
    for arm in drawn:
        look, band = styles[arm], bands[bands["arm"] == arm]
        seeds = _seeds(curves, arm)
        for seed in seeds:
            # A single boundary is no line.
            dot = "o" if len(seed) == 1 else None
            ax.plot(seed["env_steps"], seed["score"], color=look["color"], marker=dot, **_SEED)
        if not band.empty:
            steps = band["env_steps"].to_numpy()
            ax.fill_between(steps, band["low"], band["high"], color=look["color"], **_BAND)
            ax.plot(steps, band["mean"], **_MEAN, **look)
        many = int(band["seeds"].max()) if len(band) else len(seeds)
        labels[arm] = f"{arm} ({counted(many, 'seed')})"
    ax.set_ylabel("score of the best member\n(select suite)")
    marks.steps_axis(ax)
    return _finished(ax, legends.arm_keys(labels, styles))


def performance_profiles(
    profiles: pd.DataFrame, ax: Axes, *, arms: Sequence[str] | None = None
) -> Axes:
    """Draw, for each arm, on which share of seeds and levels its return is above a threshold.

    Below the lowest threshold every return is above it, beyond the highest as many as there. The
    curve that lies further up and to the right is the better one; where two cross, neither is
    better throughout (Agarwal et al. 2021, arXiv 2108.13264).

    Args:
        profiles: `analysis.Comparison.profiles`.
        ax: is drawn on, and returned.
        arms: all that there are, if ``profiles`` has some of them only.
    """
    styles = looks(profiles["arm"] if arms is None else arms)
    labels: dict[str, str] = {}
    for arm, own in profiles.groupby("arm", sort=False):
        look = styles[str(arm)]
        at, share, low, high = _extended(own)
        ax.fill_between(at, low, high, color=look["color"], **_BAND)
        ax.plot(at, share, **_MEAN, **look)
        labels[str(arm)] = str(arm)
    ax.set_ylim(-0.02, 1.02)
    ax.set_xlabel("return")
    ax.set_ylabel("share of seeds × levels\nwith a higher return")
    return _finished(ax, legends.arm_keys(labels, styles))


def _extended(profile: pd.DataFrame) -> tuple[NDArray[np.float64], ...]:
    """Thresholds, shares and both ends of their intervals, and a little more to both sides."""
    columns = profile[["threshold", "share", "low", "high"]].to_numpy(dtype=float)
    margin = 0.03 * (columns[-1, 0] - columns[0, 0]) or 0.5
    first = [columns[0, 0] - margin, 1.0, 1.0, 1.0]
    last = [columns[-1, 0] + margin, *columns[-1, 1:]]
    return tuple(np.vstack([first, columns, last]).T)


def _seeds(curves: pd.DataFrame | None, arm: str) -> list[pd.DataFrame]:
    if curves is None:
        return []
    return [own for _, own in curves[curves["arm"] == arm].groupby("seed")]


def _finished(ax: Axes, entries: list[Artist]) -> Axes:
    ax.grid(axis="y", color="0.88", linewidth=0.6)
    marks.tidy(ax)
    if entries:
        legends.arms_legend(ax, entries)
    else:
        marks.remark(ax, "no arm was scored yet")
    return ax
