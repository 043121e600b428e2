"""What pictures are made of: a member's look, arrows, bands, stripes, and a legal range's axis."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from orchestrator.frozen import thaw
from orchestrator.knobs import Integer, Numeric
from orchestrator.pictures import label, short

# Okabe and Ito's palette for colour-blind readers, without its yellow (too faint on white).
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES = (0, (2, 1.5))
_RIMMED: dict[str, Any] = {"linestyle": "none", "markeredgecolor": "white", "markeredgewidth": 0.7}
_GREY = "0.45"
_OUTSIDE = "0.92"
_MARGIN = 0.06
_TICK_GAP = 0.17

Times = Sequence[float]
"""Training iterations at which something begins, ascending, and lastly when all of it ends."""


def look(member: int) -> dict[str, Any]:
    """Colour and marker of a member; 49 of them differ."""
    turn = member // len(_COLOURS)
    return {
        "color": _COLOURS[member % len(_COLOURS)],
        "marker": _MARKERS[(member + turn) % len(_MARKERS)],
    }


def keys(members: Iterable[int], *, most: int) -> list[Line2D | Patch]:
    """Legend entries: members (if they are at most ``most``), exploits, illegal values."""
    lines = [Line2D([], [], markersize=5, label=f"m{m}", **look(m)) for m in members]
    exploit = Line2D(
        [], [], color=_GREY, linestyle=_DASHES, marker=">", label="exploit: copies a better member"
    )
    outside = Patch(facecolor=_OUTSIDE, label="outside the legal range")
    return [*(lines if len(lines) <= most else []), exploit, outside]


def arrow(ax: Axes, member: int, at: float, start: float, end: float) -> None:
    """From where a member was to where it goes on as a changed copy of its donor."""
    if not math.isfinite(start) or not math.isfinite(end):
        return
    style = {
        "arrowstyle": "-|>",
        "linestyle": _DASHES,
        "color": look(member)["color"],
        "linewidth": 1.1,
        "shrinkA": 2,
        "shrinkB": 2,
    }
    ax.annotate("", xy=(at, end), xytext=(at, start), arrowprops=style, zorder=4)


def band(
    ax: Axes,
    member: int,
    knob: Numeric,
    times: Times,
    ends: Sequence[tuple[float, float]],
    copied: Iterable[int],
    among: int,
) -> None:
    """A range over time; ``ends[i]`` holds from ``times[i]`` on, at ``copied`` it was copied.

    The more members it is drawn ``among``, the fainter it is.
    """
    colour = look(member)["color"]
    low, high = np.array([*ends, ends[-1]], dtype=float).T
    strength = min(0.13, 0.6 / among)
    ax.fill_between(times, low, high, step="post", color=colour, alpha=strength, linewidth=0)
    for edge in (low, high):
        # Not a staircase: its risers would hide the arrows.
        ax.hlines(edge[:-1], times[:-1], times[1:], color=colour, linewidth=1.5)
    middle = np.sqrt(low) * np.sqrt(high) if knob.scale == "log" else low / 2 + high / 2
    for iteration in copied:
        after = int(np.searchsorted(times[:-1], iteration, side="right")) - 1
        before = max(int(np.searchsorted(times[:-1], iteration, side="left")) - 1, 0)
        ax.plot(iteration, middle[after], markersize=5, zorder=5, **_RIMMED, **look(member))
        if before != after:
            arrow(ax, member, iteration, middle[before], middle[after])


def stripes(
    ax: Axes,
    lanes: Mapping[int, int],
    member: int,
    times: Times,
    weights: Sequence[Mapping[str, float]],
    copied: Sequence[int],
) -> None:
    """Weights over time: in each row of the axes a stripe, the stronger the more weight it has.

    ``lanes`` says which stripe of a row is a member's; ``weights[i]`` holds from ``times[i]`` on.
    """
    thickness = 0.8 / len(lanes)
    spans = [(begin, end - begin) for begin, end in itertools.pairwise(times)]
    for row, name in enumerate(weights[0]):
        bottom = row - 0.4 + lanes[member] * thickness
        shades = [to_rgba(look(member)["color"], 0.9 * held[name]) for held in weights]
        ax.broken_barh(spans, (bottom, thickness), facecolors=shades, linewidth=0)
        level = [bottom + thickness / 2] * len(copied)
        ax.plot(copied, level, markersize=5, zorder=5, **_RIMMED, **look(member))


def rows(ax: Axes, names: Sequence[object]) -> None:
    """Make the y axis one of rows, a JSON value each, from top to bottom."""
    ax.set_yticks(range(len(names)))
    ax.set_yticklabels([label(thaw(name)) for name in names], fontsize=8, parse_math=False)
    ax.set_ylim(len(names) - 0.5, -0.5)


def legal_range(ax: Axes, knob: Numeric) -> None:
    """Make the y axis a knob's, on its scale; what is not legal is grey."""
    unit_low, unit_high = -_MARGIN, 1 + _MARGIN
    if knob.low == knob.high:
        below, above = knob.low - 1, knob.high + 1
        ticks = [float(knob.low)]
    elif knob.scale == "log":
        ax.set_yscale("log")
        ratio = knob.high / knob.low
        below, above = knob.low * ratio**unit_low, knob.low * ratio**unit_high
        ticks = _ticks(knob, _round_numbers(knob.low, knob.high))
    else:
        width = knob.high - knob.low
        below, above = knob.low + unit_low * width, knob.low + unit_high * width
        ticks = _ticks(knob, MaxNLocator(4).tick_values(knob.low, knob.high))
    ax.axhspan(below, knob.low, color=_OUTSIDE, linewidth=0, zorder=0)
    ax.axhspan(knob.high, above, color=_OUTSIDE, linewidth=0, zorder=0)
    ax.set_ylim(below, above)
    ax.yaxis.set_major_locator(FixedLocator(ticks))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def tidy(ax: Axes, until: int) -> None:
    """Axes from the start to iteration ``until``, without what distracts."""
    end = max(until, 1)
    ax.set_xlim(-0.01 * end, 1.01 * end)
    ax.set_xlabel("training iteration")
    ax.xaxis.set_major_locator(MaxNLocator(11, steps=[1, 2, 4, 5, 8, 10], integer=True))
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="x", color="0.88", linewidth=0.6)
    ax.set_axisbelow(True)


def remark(ax: Axes, text: str) -> None:
    """Say why there is nothing to be seen."""
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=_GREY)


def _ticks(knob: Numeric, between: Iterable[float]) -> list[float]:
    """Both ends of the legal range, and what fits between them."""
    onto: Callable[[float], float] = math.log if knob.scale == "log" else float
    gap = _TICK_GAP * (onto(knob.high) - onto(knob.low))
    ticks = [float(knob.low)]
    for value in between:
        if isinstance(knob, Integer) and value != round(value):
            continue
        if onto(ticks[-1]) + gap <= onto(value) <= onto(knob.high) - gap:
            ticks.append(float(value))
    return [*ticks, float(knob.high)]


def _round_numbers(low: float, high: float) -> list[float]:
    digits = (1, 2, 5) if high < 1000 * low else (1,)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [digit * 10.0**decade for decade in decades for digit in digits]
