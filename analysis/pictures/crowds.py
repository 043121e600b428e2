"""More members than can be told apart: how many of them are where."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray

from analysis.coverage import known_mean
from analysis.pictures.bands import by_name, stripe
from analysis.pictures.marks import staircase
from analysis.pictures.population import Population
from analysis.pictures.style import COLOURS, FAINT, FEW_TO_ALL
from orchestrator.knobs import Numeric

_CELLS = 96
"""Into how many parts a legal range is divided to count who draws from each."""


def density(ax: Axes, population: Population, changes: pd.DataFrame, legal: Numeric) -> None:
    """Which share of the members draws from each part of the legal range, over time."""
    held = population.held(changes)
    if held.row.size == 0:
        return
    low, high = (held.values(changes[end].to_numpy(dtype=float)) for end in ("low", "high"))
    edges = _parts(legal)
    covers = (low[..., None] <= edges[1:]) & (high[..., None] >= edges[:-1])
    alive = np.maximum((held.row >= 0).sum(axis=0), 1)
    share = covers.sum(axis=0) / alive[:, None]
    ax.pcolormesh(held.edges, edges, share.T, cmap=FEW_TO_ALL, vmin=0, vmax=1, rasterized=True)


def _parts(legal: Numeric) -> NDArray[np.float64]:
    if legal.low == legal.high:
        return np.array([legal.low - 0.2, legal.high + 0.2])
    spaced = np.geomspace if legal.scale == "log" else np.linspace
    return np.asarray(spaced(legal.low, legal.high, _CELLS + 1), dtype=float)


def traces(ax: Axes, population: Population, changes: pd.DataFrame) -> None:
    """A faint line for each member, at ``low`` of the rows that held for it."""
    held = population.held(changes)
    if held.row.size == 0:
        return
    levels = held.values(changes["low"].to_numpy(dtype=float))
    lines = [staircase(held.edges, level) for level in levels]
    ax.add_collection(LineCollection(lines, colors=FAINT, linewidths=0.5))
    ax.autoscale_view()


def mean_stripes(ax: Axes, population: Population, changes: pd.DataFrame) -> None:
    """In each row of the axes, that of a name, its mean share in ``weights`` over the members."""
    held = population.held(changes)
    if held.row.size == 0:
        return
    for row, shares in enumerate(by_name(changes["weights"].to_list()).values()):
        mean = known_mean(held.values(np.array(shares, dtype=float)))
        stripe(ax, held.edges.tolist(), mean.tolist(), (row - 0.4, 0.8), COLOURS[0])
