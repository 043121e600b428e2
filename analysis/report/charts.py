"""An interactive chart, and what charts are made of: looks, texts, numbers, fewer points.

A figure is Plotly's JSON. Colours of paper, text and grid are the page's; those of the data are
readable on a light page and on a dark one alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from orchestrator.frozen import text
from orchestrator.pictures import short

__all__ = [
    "GREY",
    "SCALE",
    "SHORT",
    "Chart",
    "Control",
    "Look",
    "Option",
    "axis",
    "category_axis",
    "colour_bar",
    "faint",
    "joined",
    "layout",
    "line",
    "log_axis",
    "look",
    "plain",
    "said",
    "thinned",
    "worded",
]

GREY = "#808080"
"""Of what stands in the background."""

SCALE = "Cividis"
"""The colour scale of heat maps; it is read alike with every colour vision."""

SHORT = 20
"""So much is written of a name that has to stand beside others."""

# Okabe and Ito's palette for colour-blind readers, with what is too faint on white darkened, and
# a violet for its yellow and its black. Each has a contrast of 3 to white and to almost black.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#B87F00", "#2E9BD0", "#8F62D0")
_SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x")
_DASHES = ("solid", "dash", "dot", "dashdot")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;"})
_LONGEST = 32
_DIGITS = 5
_TICK_GAP = 0.07


@dataclass(frozen=True)
class Option:
    """What a control can be set to.

    Attributes:
        label: what it is called.
        data, layout: what `Plotly.update` changes a figure by.
    """

    label: str
    data: Mapping[str, Any]
    layout: Mapping[str, Any]


@dataclass(frozen=True)
class Control:
    """A choice that the reader of a chart has; the first option is how the figure is.

    Attributes:
        label: what is chosen.
    """

    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, eq=False)
class Chart:
    """A figure to be played with, and the same in words and in numbers.

    Attributes:
        id: unique among the charts of one population or comparison.
        title: what is shown.
        caption: what is to be seen, in a sentence.
        figure: ``data`` and ``layout`` for Plotly: JSON without NaN, texts escaped.
        table: the data, for who does not see the figure.
        controls: what the reader can choose.
    """

    id: str
    title: str
    caption: str
    figure: Mapping[str, Any]
    table: pd.DataFrame
    controls: tuple[Control, ...] = ()


@dataclass(frozen=True)
class Look:
    """How a member or an arm is drawn, wherever it is drawn.

    Attributes:
        colour: ``#rrggbb``.
        symbol, dash: Plotly's names.
    """

    colour: str
    symbol: str
    dash: str


def look(index: int) -> Look:
    """The ``index``-th look; the first seven differ in colour, the first 28 in some way."""
    turn = index // len(_COLOURS)
    return Look(
        colour=_COLOURS[index % len(_COLOURS)],
        symbol=_SYMBOLS[(index + turn) % len(_SYMBOLS)],
        dash=_DASHES[turn % len(_DASHES)],
    )


def faint(colour: str, opacity: float) -> str:
    """``#rrggbb`` with an opacity, as CSS writes it."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity:.3g})"


def worded(value: object) -> str:
    """A JSON value as text: a string as it is, else its JSON."""
    return value if isinstance(value, str) else text(value)


def said(value: object, longest: int = _LONGEST) -> str:
    """A JSON value as a line of text that Plotly shows as it is, and not as its HTML or TeX."""
    shown = "".join(each if each.isprintable() else " " for each in worded(value))
    return (shown if len(shown) <= longest else shown[: longest - 1] + "…").translate(_ENTITIES)


def plain(values: Iterable[float | int | None]) -> list[float | int | None]:
    """Numbers as JSON has them: None for what is not finite, five significant digits."""
    return [_plain(value) for value in values]


def _plain(value: float | int | None) -> float | int | None:
    if value is None or not math.isfinite(value):
        return None
    if float(value).is_integer() and abs(value) < 2**53:
        return int(value)
    return float(f"{value:.{_DIGITS}g}")


def thinned(values: Sequence[float] | npt.NDArray[np.float64], most: int) -> list[int]:
    """Indices of at most ``most`` values that look like all of them, ascending.

    The first and the last are among them, and of each stretch between its lowest and its highest.

    Raises:
        ValueError: if ``most`` is below 4.
    """
    if most < 4:
        raise ValueError(f"`4 <= most` must hold, but got {most}")
    count = len(values)
    if count <= most:
        return list(range(count))
    numbers = np.asarray(values, dtype=float)
    low, high = np.nan_to_num(numbers, nan=np.inf), np.nan_to_num(numbers, nan=-np.inf)
    kept = {0, count - 1}
    for stretch in np.array_split(np.arange(1, count - 1), (most - 2) // 2):
        kept |= {int(stretch[low[stretch].argmin()]), int(stretch[high[stretch].argmax()])}
    return sorted(kept)


def joined(lines: Iterable[Sequence[Any]]) -> list[Any]:
    """Several lines as one trace has them, with a gap after each."""
    return [value for each in lines for value in (*each, None)][:-1]


def line(
    style: Look, xs: Iterable[float | int | None], ys: Sequence[Any], **also: Any
) -> dict[str, Any]:
    """A trace of a member's or an arm's line."""
    trace: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines",
        "x": plain(xs),
        "y": list(ys),
        "line": {"color": style.colour, "dash": style.dash, "width": 2},
    }
    return _merged(trace, also)


def layout(height: int, x: Mapping[str, Any], y: Mapping[str, Any], **also: Any) -> dict[str, Any]:
    """The layout of a figure with two axes."""
    base: dict[str, Any] = {
        "height": height,
        "xaxis": dict(x),
        "yaxis": dict(y),
        "hovermode": "closest",
        "margin": {"l": 70, "r": 20, "t": 20, "b": 60},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0},
    }
    return _merged(base, also)


def colour_bar(title: str) -> dict[str, Any]:
    """What the colours of a heat map mean."""
    return {"title": {"text": said(title)}, "thickness": 14}


def axis(title: str, **also: Any) -> dict[str, Any]:
    """An axis of numbers; its title is shown as it is."""
    shown = {"text": said(title), "standoff": 8}
    return {"title": shown, "automargin": True, "zeroline": False, **also}


def log_axis(title: str, low: float, high: float, **also: Any) -> dict[str, Any]:
    """A logarithmic axis with ticks at ``low``, ``high``, and round numbers between them."""
    digits = (1, 2, 5) if high < 1000 * low else (1,)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks = [low]
    for value in (digit * 10.0**decade for decade in decades for digit in digits):
        gap = (high / low) ** _TICK_GAP
        if ticks[-1] * gap <= value <= high / gap:
            ticks.append(value)
    ticks = list(dict.fromkeys([*ticks, high]))
    texts = [short(tick) for tick in ticks]
    where = {"tickmode": "array", "tickvals": plain(ticks), "ticktext": texts}
    return axis(title, type="log", **where, **also)


def category_axis(title: str, names: Sequence[str], **also: Any) -> dict[str, Any]:
    """An axis of names, in their order, on which the ``i``-th name is at ``i``."""
    ticks = {"tickmode": "array", "tickvals": list(range(len(names))), "ticktext": list(names)}
    return axis(title, **ticks, range=[-0.5, len(names) - 0.5], **also)


def _merged(base: dict[str, Any], also: Mapping[str, Any]) -> dict[str, Any]:
    for key, value in also.items():
        known = base.get(key)
        base[key] = {**known, **value} if isinstance(known, dict) else value
    return base
