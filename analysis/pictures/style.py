"""One look for all pictures: colours for colour-blind readers, sizes for print, a saved file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

DPI = 150
"""Dots per inch of a saved picture."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's palette for colour-blind readers, without its yellow (too faint on white)."""

GREY = "0.45"
FAINT = "0.72"
OUTSIDE = "0.92"
INK = "0.1"

HALO: Mapping[str, Any] = {"color": INK, "alpha": 0.24, "linewidth": 6}
"""The line that is drawn under the ancestry of the best member."""

DASHED = (0, (2, 1.5))
"""The line of an exploit's arrow."""

TOGETHER: Mapping[str, Any] = {"color": INK, "linewidth": 2.0, "linestyle": (0, (4, 1))}
"""The line of all members together."""

LOW_TO_HIGH = "viridis"
"""The colour map of scores and returns: even in lightness, so that it survives a grey print."""

UNKNOWN = "0.85"
"""The colour of a score or a return that is not finite, or was never played."""

FEW_TO_ALL = LinearSegmentedColormap.from_list("few_to_all", ("white", COLOURS[0]))
"""The colour map of shares."""

_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES = ("-", "--", "-.", ":")

_SETTINGS: dict[Any, Any] = {
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.titlesize": 9.5,
    "axes.linewidth": 0.7,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "figure.titlesize": 10.5,
    # Type 3 fonts, matplotlib's default, are refused by many a publisher.
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
}


def style() -> AbstractContextManager[None]:
    """A ``with`` block in which figures are made as these are; afterwards all is as before."""
    return rc_context(_SETTINGS)


def look(member: int) -> dict[str, Any]:
    """Colour and marker of a member; 49 of them differ."""
    turn = member // len(COLOURS)
    return {
        "color": COLOURS[member % len(COLOURS)],
        "marker": _MARKERS[(member + turn) % len(_MARKERS)],
    }


def looks(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour and dashes of each arm, or of whatever else has a name; 28 of them differ.

    They follow from the order of the names in the alphabet, so that pictures of the same arms
    give each the same one.
    """
    return {
        name: {
            "color": COLOURS[place % len(COLOURS)],
            "linestyle": _DASHES[place // len(COLOURS) % len(_DASHES)],
        }
        for place, name in enumerate(sorted(set(names)))
    }


def save(figure: Figure, path: str | Path) -> None:
    """Write a picture; the ending of ``path`` says the format (png, svg, pdf).

    Raises:
        ValueError: for an ending that is none.
        OSError: if it cannot be written.
    """
    with style():
        figure.savefig(path, dpi=DPI)
