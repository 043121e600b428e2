"""Bands of numbers and stripes of weights: each member's in its colour, the best one's ancestry."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from analysis.pictures import marks
from analysis.pictures.population import Population, last_of_each_iteration, rows_of
from analysis.pictures.style import look

_RIMMED: dict[str, Any] = {"linestyle": "none", "markeredgecolor": "white", "markeredgewidth": 0.7}


def bands(ax: Axes, population: Population, changes: pd.DataFrame, *, is_log: bool) -> None:
    """A band for each member, between ``low`` and ``high`` of the rows that held for it."""
    strength = min(0.13, 0.6 / max(len(population.members), 1))
    for member in population.members:
        own = last_of_each_iteration(rows_of(changes, member))
        if not own.empty:
            _band(ax, population, member, own, strength, is_log=is_log)


def stripes(ax: Axes, population: Population, changes: pd.DataFrame) -> None:
    """In each row of the axes, that of a name, a stripe for each member.

    It is as strong as the name's share in ``weights`` of the rows that held for the member.
    """
    thickness = 0.8 / max(len(population.members), 1)
    for lane, member in enumerate(population.members):
        own = last_of_each_iteration(rows_of(changes, member))
        times = [*own["iteration"], population.until[member]]
        copied = population.copied(member)
        for row, shares in enumerate(by_name(own["weights"].to_list()).values()):
            bottom = row - 0.4 + lane * thickness
            stripe(ax, times, shares, (bottom, thickness), look(member)["color"])
            middle = [bottom + thickness / 2] * len(copied)
            ax.plot(copied, middle, markersize=5, zorder=5, **_RIMMED, **look(member))


def ancestral(
    ax: Axes,
    population: Population,
    changes: pd.DataFrame,
    ends: Sequence[str] = ("low", "high"),
    **line: Any,
) -> None:
    """Lines at the ``ends`` of what held for the ancestry of the best member."""
    for member, first, last in population.ancestral:
        own = last_of_each_iteration(rows_of(changes, member))
        starts = own["iteration"].to_numpy(dtype=float)
        begin = np.clip(starts, first, last)
        end = np.clip(np.append(starts[1:], np.inf), first, last)
        lived = begin < end
        for at in ends:
            ax.hlines(own[at].to_numpy(dtype=float)[lived], begin[lived], end[lived], **line)


def stripe(
    ax: Axes,
    times: Sequence[float],
    shares: Sequence[float],
    place: tuple[float, float],
    colour: str,
) -> None:
    """From ``times[i]`` to the next as strong as ``shares[i]``; its place: bottom, thickness."""
    spans = [(begin, end - begin) for begin, end in itertools.pairwise(times)]
    shades = [to_rgba(colour, 0.9 * share) for share in shares]
    ax.broken_barh(spans, place, facecolors=shades, linewidth=0)


def by_name(weights: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """The share of each name, row by row."""
    names = weights[0] if weights else ()
    return {name: [each[name] for each in weights] for name in names}


def _band(
    ax: Axes,
    population: Population,
    member: int,
    own: pd.DataFrame,
    strength: float,
    *,
    is_log: bool,
) -> None:
    colour = look(member)["color"]
    times = np.array([*own["iteration"], population.until[member]], dtype=float)
    low, high = (own[end].to_numpy(dtype=float) for end in ("low", "high"))
    ax.fill_between(
        times,
        np.append(low, low[-1]),
        np.append(high, high[-1]),
        step="post",
        color=colour,
        alpha=strength,
        linewidth=0,
    )
    copied = population.copied(member)
    apart = np.isin(times[:-1], [*copied, times[-1]])
    breaks = 2 * np.flatnonzero(apart[1:]) + 2
    for edge in (low, high):
        # No riser where it became a copy, since it would hide the arrow, nor at the very end.
        corners = np.insert(marks.staircase(times, edge), breaks, np.nan, axis=0)
        ax.plot(*corners.T, color=colour, linewidth=1.4)
    middle = np.sqrt(low) * np.sqrt(high) if is_log else low / 2 + high / 2
    for iteration in copied:
        after = int(np.searchsorted(times[:-1], iteration, side="right")) - 1
        before = max(int(np.searchsorted(times[:-1], iteration, side="left")) - 1, 0)
        ax.plot(iteration, middle[after], markersize=5, zorder=5, **_RIMMED, **look(member))
        if before != after:
            marks.arrow(ax, member, iteration, middle[before], middle[after])
