"""Where the time went, by the parts of a training iteration."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from analysis.pictures import legends, marks
from analysis.pictures.style import COLOURS, FAINT

_MOST = len(COLOURS)
_LABELLED = 40
_REST = "other"
_UNITS = ((7200.0, 3600.0, "hours"), (180.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))


def time_spent(seconds: pd.DataFrame, ax: Axes, by: str = "iteration") -> Axes:
    """Draw the time that each part took, stacked.

    Args:
        seconds: rows of `analysis.Run.seconds`.
        ax: is drawn on, and returned.
        by: ``iteration``: the mean over members, iteration by iteration; ``member``, ``seed`` or
            ``arm``: a bar for each, with the mean total of a member.

    Raises:
        ValueError: if ``by`` is none of these.
    """
    if by not in ("iteration", "member", "seed", "arm"):
        raise ValueError(f"`by` must be iteration, member, seed or arm, but got {by!r}")
    if seconds.empty:
        marks.tidy(ax)
        marks.remark(ax, "no iteration was timed yet")
        return ax
    table = _largest_parts(parts_by(seconds, by))
    scale, unit = _unit(float(table.sum(axis=1).max()))
    table = table / scale
    if by == "iteration":
        _layers(ax, table)
        ax.set_ylabel(f"{unit} per iteration\n(mean over members)")
    else:
        _bars(ax, table)
        ax.set_xlabel(f"{unit} per member")
        ax.set_ylabel(by)
    entries = [
        Patch(facecolor=colour, label=str(part))
        for part, colour in zip(table, _colours(table), strict=True)
    ]
    _make_room(ax)
    legends.legend(ax, entries, loc="upper left", ncols=4)
    return ax


def parts_by(seconds: pd.DataFrame, by: str) -> pd.DataFrame:
    """Mean seconds of a member: a row for each ``by``, a column per part, the largest first."""
    who = list(dict.fromkeys(["arm", "seed", "member", by]))
    total = seconds.groupby([*who, "part"], sort=False)["seconds"].sum().unstack(fill_value=0)
    table = total.groupby(level=by).mean()
    return table[table.sum().sort_values(ascending=False, kind="stable").index]


def _largest_parts(table: pd.DataFrame) -> pd.DataFrame:
    if table.shape[1] <= _MOST:
        return table
    kept = table.iloc[:, : _MOST - 1]
    return kept.assign(**{_REST: table.iloc[:, _MOST - 1 :].sum(axis=1)})


def _colours(table: pd.DataFrame) -> list[str]:
    return [FAINT if part == _REST else COLOURS[place] for place, part in enumerate(table)]


def _unit(longest: float) -> tuple[float, str]:
    return next((scale, unit) for least, scale, unit in _UNITS if longest >= least)


def _layers(ax: Axes, table: pd.DataFrame) -> None:
    """Each iteration from the one before it to itself."""
    edges = np.append(table.index[0] - 1, table.index).astype(float)
    floor = np.zeros(len(table))
    for (_, values), colour in zip(table.items(), _colours(table), strict=True):
        ceiling = floor + values.to_numpy()
        ax.stairs(ceiling, edges, baseline=floor, fill=True, color=colour, linewidth=0)
        floor = ceiling
    marks.time_axis(ax, float(table.index[-1]))
    ax.set_ylim(0, None)


def _bars(ax: Axes, table: pd.DataFrame) -> None:
    """A bar for each row, from top to bottom."""
    places = np.arange(len(table))
    floor = np.zeros(len(table))
    thickness = 0.8 if len(table) <= _LABELLED else 1.0
    for (_, values), colour in zip(table.items(), _colours(table), strict=True):
        ax.barh(places, values, left=floor, color=colour, height=thickness, linewidth=0)
        floor = floor + values.to_numpy()
    if len(table) <= _LABELLED:
        ax.set_yticks(places, [_name(each) for each in table.index], parse_math=False)
    ax.set_ylim(len(table) - 0.4, -0.6)
    marks.tidy(ax)


def _make_room(ax: Axes) -> None:
    """Room for the legend, above all that is drawn."""
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, top + 0.22 * (top - bottom))


def _name(row: object) -> str:
    return marks.short_name(str(row))
