"""Levels one by one: how each was played, by whom or when, ordered by how hard it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps, rcParams
from matplotlib.axes import Axes

from analysis.members import last_played
from analysis.pictures import marks
from analysis.pictures.style import LOW_TO_HIGH, UNKNOWN

_LABELLED = 40
_MOST_TICKS = 14
_SLANTED = 12
_IN_A_LINE = 40
"""Letters that have room below the axes."""


def level_heat_map(scores: pd.DataFrame, ax: Axes, by: str | Sequence[str] = "member") -> Axes:
    """Draw the mean return of each level, a row each, the hardest at the top.

    Unless there is a column for each iteration, what each member played last counts.

    Args:
        scores: rows of `analysis.Run.scores`, of one suite and of arms that play the same levels;
            or `analysis.Comparison.scores`.
        ax: is drawn on, and returned.
        by: what there is a column for: ``member``, ``arm``, ``seed`` or ``iteration``, or several
            of these. Arms, and members, stand in order of their mean return, the best first.

    Raises:
        ValueError: if ``scores`` has no such column, or is of several suites.
    """
    keys = [by] if isinstance(by, str) else list(by)
    table = level_returns(scores, keys)
    if table.empty:
        marks.remark(ax, "no level was played yet")
        return ax
    colours = colormaps[LOW_TO_HIGH].with_extremes(bad=UNKNOWN)
    drawn = ax.pcolormesh(
        np.ma.masked_invalid(table.to_numpy(dtype=float)),
        cmap=colours,
        norm=marks.colours_of(table),
        rasterized=table.size > 10_000,
    )
    _rows(ax, table)
    _columns(ax, table, keys)
    ax.tick_params(length=0, labelsize=rcParams["ytick.labelsize"])
    ax.spines[:].set_visible(False)
    marks.colour_bar(ax, drawn, "return")
    return ax


def level_returns(scores: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Mean returns: a row per level, the hardest first, a column per combination of ``by``.

    Raises:
        ValueError: as `level_heat_map`.
    """
    missing = [key for key in by if key not in scores]
    if missing or not by:
        raise ValueError(
            f"`by` must be columns of the scores ({', '.join(map(str, scores))}), "
            f"but got {list(by)}"
        )
    if "suite" in scores and scores["suite"].nunique() > 1:
        raise ValueError(
            "scores must be of one suite, as `scores[scores['suite'] == 'test']` gives them, "
            f"but got {', '.join(sorted(scores['suite'].unique()))}"
        )
    played = scores if "iteration" in by else last_played(scores)
    table = played.groupby(["level", *by])["return"].mean().unstack(list(by))
    order = table.mean(axis=1).sort_values(kind="stable").index
    if "iteration" not in by:
        best_first = table.mean().sort_values(ascending=False, kind="stable").index
        return table.loc[order, best_first]
    return table.loc[order]


def _rows(ax: Axes, table: pd.DataFrame) -> None:
    if len(table) <= _LABELLED:
        ax.set_yticks(np.arange(len(table)) + 0.5, [str(level) for level in table.index])
        ax.set_ylabel("level, hardest first")
    else:
        ax.set_yticks([])
        ax.set_ylabel(f"{len(table)} levels, hardest first")
    ax.invert_yaxis()


def _columns(ax: Axes, table: pd.DataFrame, by: Sequence[str]) -> None:
    names = [_name(column) for column in table.columns]
    what = ", ".join("training iteration" if key == "iteration" else key for key in by)
    if "iteration" not in by and len(names) > _LABELLED:
        ax.set_xticks([])
        ax.set_xlabel(f"{what}: {len(names)}, best first")
        return
    every = -(-len(names) // _MOST_TICKS) if "iteration" in by else 1
    shown = names[::every]
    places = np.arange(0, len(names), every) + 0.5
    ax.set_xticks(places, shown, parse_math=False, **_turned(shown))
    ax.set_xlabel(what)


def _turned(names: Sequence[str]) -> dict[str, Any]:
    """As much as they must be to find room side by side."""
    if sum(map(len, names)) <= _IN_A_LINE:
        return {"rotation": 0}
    if len(names) <= _SLANTED:
        return {"rotation": 35, "ha": "right", "rotation_mode": "anchor"}
    return {"rotation": 90}


def _name(column: object) -> str:
    parts = column if isinstance(column, tuple) else (column,)
    return marks.short_name(" ".join(map(str, parts)))
