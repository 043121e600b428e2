"""What pictures have in common: arrows, remarks, colour bars, and an axis of time."""

from __future__ import annotations

import math

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.ticker import EngFormatter, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from analysis.pictures.style import DASHED, GREY, look

CROWD = 12
"""More members than these are not told apart: they are drawn as a crowd."""

_LONGEST_NAME = 24


def arrow(ax: Axes, member: int, at: float, start: float, end: float) -> None:
    """From where a member was to where it goes on as a changed copy of its donor."""
    if not math.isfinite(start) or not math.isfinite(end):
        return
    shape = {
        "arrowstyle": "-|>",
        "linestyle": DASHED,
        "color": look(member)["color"],
        "linewidth": 1.1,
        "shrinkA": 2,
        "shrinkB": 2,
    }
    ax.annotate("", xy=(at, end), xytext=(at, start), arrowprops=shape, zorder=4)


def time_axis(ax: Axes, until: float) -> None:
    """The x axis, of training iterations from the start to ``until``."""
    end = max(until, 1)
    ax.set_xlim(-0.01 * end, 1.01 * end)
    ax.set_xlabel("training iteration")
    ax.xaxis.set_major_locator(MaxNLocator(11, steps=[1, 2, 4, 5, 8, 10], integer=True))
    ax.grid(axis="x", color="0.88", linewidth=0.6)
    tidy(ax)


def steps_axis(ax: Axes) -> None:
    """The x axis, of env steps from none on."""
    ax.set_xlim(left=0)
    ax.set_xlabel("env steps")
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.xaxis.set_major_formatter(EngFormatter(sep=""))


def tidy(ax: Axes) -> None:
    """Axes without what distracts."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    # Ticks that are only made when the picture is drawn are then of this size as well.
    ax.tick_params(axis="x", labelsize=rcParams["xtick.labelsize"])
    ax.tick_params(axis="y", labelsize=rcParams["ytick.labelsize"])


def staircase(edges: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners of a line with a value between each two edges, shape (2 × values, 2)."""
    return np.column_stack([np.repeat(edges, 2)[1:-1], np.repeat(values, 2)])


def colours_of(values: ArrayLike, limits: tuple[float, float] | None = None) -> Normalize:
    """From the lowest to the highest of those that are finite, or as ``limits`` says.

    It is never of no width.
    """
    if limits is not None:
        return Normalize(*limits)
    numbers = np.asarray(values, dtype=float)
    finite = numbers[np.isfinite(numbers)]
    if finite.size == 0:
        return Normalize(0.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    return Normalize(low, high) if low < high else Normalize(low - 0.5, high + 0.5)


def colour_bar(ax: Axes, coloured: ScalarMappable, label: str) -> None:
    """What the colours mean, beside the axes."""
    bar = ax.figure.colorbar(coloured, ax=ax, pad=0.02, fraction=0.05, aspect=25)
    bar.outline.set_visible(False)
    bar.set_label(label, parse_math=False)
    bar.ax.tick_params(labelsize=rcParams["ytick.labelsize"])


def short_name(name: str) -> str:
    """A name in at most 24 letters."""
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def remark(ax: Axes, text: str) -> None:
    """Say why there is nothing to be seen."""
    ax.text(
        0.5,
        0.5,
        text,
        transform=ax.transAxes,
        ha="center",
        va="center",
        color=GREY,
        parse_math=False,
        wrap=True,
    )
