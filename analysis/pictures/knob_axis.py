"""An axis that is a knob's: its legal range on its own scale, or a row for each of its values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from analysis.pictures.style import OUTSIDE
from orchestrator.frozen import thaw
from orchestrator.knobs import Choice, Integer, Knob, Numeric, Simplex, ranged
from orchestrator.pictures import label, short

Which = Literal["x", "y"]

_MARGIN = 0.06
_TICK_GAP = 0.17
_LARGEST_POWER = 305.0


def knob_axis(ax: Axes, knob: Knob, which: Which = "y") -> None:
    """Make an axis a knob's: of numbers, or of rows for the values of a choice or the terms."""
    numbers = ranged(knob)
    if numbers is not None:
        legal_range(ax, numbers, which)
    elif isinstance(knob, Choice):
        rows(ax, knob.values, which)
    elif isinstance(knob, Simplex):
        rows(ax, knob.terms, which)
    else:
        raise ValueError(f"a knob must be of a kind that has an axis, but got {knob!r}")


def rows(ax: Axes, names: Sequence[object], which: Which = "y") -> None:
    """Make an axis one of rows, a JSON value each: from top to bottom, or from left to right."""
    axis = ax.yaxis if which == "y" else ax.xaxis
    axis.set_ticks(range(len(names)))
    axis.set_ticklabels([label(thaw(name)) for name in names], parse_math=False)
    if which == "y":
        ax.set_ylim(len(names) - 0.5, -0.5)
    else:
        ax.set_xlim(-0.5, len(names) - 0.5)


def legal_range(ax: Axes, knob: Numeric, which: Which = "y") -> None:
    """Make an axis a number's, on its scale; what is not legal is grey, unless one value is."""
    axis = ax.yaxis if which == "y" else ax.xaxis
    below, above = _around(knob)
    if knob.low == knob.high:
        ticks = [float(knob.low)]
    elif knob.scale == "log":
        _set(ax, which, "scale", "log")
        ticks = _ticks(knob, _round_numbers(knob.low, knob.high))
    else:
        ticks = _ticks(knob, MaxNLocator(4).tick_values(knob.low, knob.high))
    _set(ax, which, "lim", (below, above))
    if knob.low < knob.high:
        shade = ax.axhspan if which == "y" else ax.axvspan
        shade(below, knob.low, color=OUTSIDE, linewidth=0, zorder=0)
        shade(knob.high, above, color=OUTSIDE, linewidth=0, zorder=0)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


def _set(ax: Axes, which: Which, what: Literal["scale", "lim"], value: Any) -> None:
    getattr(ax, f"set_{which}{what}")(value)


def _around(knob: Numeric) -> tuple[float, float]:
    """The legal range and a little more to both sides."""
    if knob.low == knob.high:
        return knob.low - 1, knob.high + 1
    if knob.scale == "linear":
        margin = _MARGIN * (knob.high - knob.low)
        return knob.low - margin, knob.high + margin
    first, last = math.log10(knob.low), math.log10(knob.high)
    margin = _MARGIN * (last - first)
    return 10 ** max(first - margin, -_LARGEST_POWER), 10 ** min(last + margin, _LARGEST_POWER)


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
