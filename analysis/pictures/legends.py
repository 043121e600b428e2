"""Legends: what members, arms and marks look like, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.pictures import marks
from analysis.pictures.style import (
    COLOURS,
    DASHED,
    FAINT,
    GREY,
    HALO,
    INK,
    OUTSIDE,
    TOGETHER,
    look,
    looks,
)

_INSIDE = 4
"""A legend of more entries hides too much of what is drawn."""


def keys(members: Sequence[int]) -> list[Artist]:
    """Legend entries of members, or of a crowd of them, and of what is drawn of them all."""
    outside = Patch(facecolor=OUTSIDE, label="outside the legal range")
    if len(members) > marks.CROWD:
        return [
            Line2D([], [], color=FAINT, linewidth=0.8, label="a member"),
            Patch(facecolor=COLOURS[0], alpha=0.6, label="the more members, the darker"),
            Line2D([], [], color=INK, linewidth=1.6, label="ancestry of the best"),
            outside,
        ]
    exploit = "exploit: copies a better member"
    return [
        *member_keys(members),
        Line2D([], [], label="ancestry of the best", **HALO),
        Line2D([], [], color=GREY, linestyle=DASHED, marker=">", label=exploit),
        outside,
    ]


def member_keys(members: Iterable[int]) -> list[Artist]:
    """A legend entry for each member."""
    return [Line2D([], [], markersize=5, label=f"m{each}", **look(each)) for each in members]


def together_key() -> Artist:
    """The legend entry of all members together."""
    return Line2D([], [], label="all members together", **TOGETHER)


def arm_keys(labels: Mapping[str, str], arms: Iterable[str]) -> list[Artist]:
    """A legend entry for each arm that has a label; ``arms`` are all that there are."""
    styles = looks(arms)
    return [Line2D([], [], linewidth=1.6, label=labels[arm], **styles[arm]) for arm in labels]


def legend(on: Axes | Figure, entries: Sequence[Artist], **where: Any) -> Legend:
    """A legend of these, row by row, their words taken as they are."""
    columns = min(where.pop("ncols", 1), max(len(entries), 1))
    # Matplotlib fills columns, the first ones with one more if it does not come out even.
    ordered = [entry for column in range(columns) for entry in entries[column::columns]]
    labels = [str(entry.get_label()) for entry in ordered]
    drawn = on.legend(ordered, labels, ncols=columns, frameon=False, **where)
    for text in drawn.get_texts():
        text.set_parse_math(False)
    return drawn


def arms_legend(ax: Axes, entries: Sequence[Artist]) -> Legend:
    """A legend inside the axes, or beside them if it is a long one."""
    if len(entries) <= _INSIDE:
        return legend(ax, entries, loc="best")
    return legend(ax, entries, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def figure_legend(figure: Figure, entries: Sequence[Artist]) -> Legend:
    """A legend below all axes of a figure."""
    columns = max(4, round(figure.get_figwidth() / 2))
    return legend(figure, entries, loc="outside lower center", ncols=columns)
