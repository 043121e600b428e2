"""The curves as pictures: one file for each figure, its panels side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.model.curves import Point

__all__ = ["draw"]

_AXES = {
    "size": ("members, a core for each", "efficiency"),
    "interval": ("iterations between boundaries", "efficiency"),
    "failures": ("failures per member-hour", "efficiency"),
    "cores": ("members per core", ""),
}
_WIDTH, _HEIGHT, _DPI = 4.2, 3.2, 80
_COLUMNS = 2


def draw(points: Sequence[Point], folder: Path) -> list[Path]:
    """Draw every figure that the points are of; returns the files."""
    return [
        _drawn([point for point in points if point.figure == name], folder / f"model_{name}.png")
        for name in dict.fromkeys(point.figure for point in points)
    ]


def _drawn(points: Sequence[Point], file: Path) -> Path:
    panels = [*dict.fromkeys(point.panel for point in points)]
    rows = -(-len(panels) // _COLUMNS)
    figure = Figure(figsize=(_WIDTH * _COLUMNS, _HEIGHT * rows), layout="constrained")
    grid = figure.subplots(rows, _COLUMNS, squeeze=False).flat
    for axes, panel in zip(grid, panels, strict=False):
        axes.set_title(panel, fontsize=10)
        _curves(axes, [point for point in points if point.panel == panel])
    # All panels have the same lines.
    figure.legend(
        *grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8
    )
    figure.savefig(file, dpi=_DPI)
    return file


def _curves(axes: Axes, points: Sequence[Point]) -> None:
    """One line for each line: synchronous ones solid, and a colour for each pair."""
    colours: dict[str, str] = {}
    for name in dict.fromkeys(point.line for point in points):
        mode, _, rest = name.partition(", ")
        colour = colours.setdefault(rest, f"C{len(colours)}")
        own = [point for point in points if point.line == name]
        style = "-" if mode == "sync" else "--"
        axes.plot(
            [p.x for p in own], [p.y for p in own], style, marker=".", color=colour, label=name
        )
    x, y = _AXES[points[0].figure]
    axes.set_xscale("log")
    places = sorted({point.x for point in points})
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.minorticks_off()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    shares = max(point.y for point in points) <= 1
    axes.set_ylim(0, 1 if shares else None)
    axes.grid(alpha=0.3)
