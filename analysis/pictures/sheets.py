"""Several pictures in one figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.pictures import legends, marks
from analysis.pictures.style import style

_WIDTH, _HEIGHT = 4.4, 3.2
_NARROWEST = 7.0
"""Inches; a narrower figure has no room for its legend."""


@dataclass(frozen=True)
class Panel:
    """One picture, and what stands above it."""

    draw: Callable[[Axes], Axes]
    title: str = ""


@dataclass(frozen=True)
class Sheet:
    """Panels row by row.

    Attributes:
        columns: panels side by side, at most.
        keys: legend entries for all of them.
        note: what stands above them all.
    """

    panels: Sequence[Panel]
    columns: int = 3
    keys: Sequence[Artist] = ()
    note: str = ""

    def figure(self) -> Figure:
        """The panels drawn; a remark if there are none."""
        across = max(min(self.columns, len(self.panels)), 1)
        down = max(-(-len(self.panels) // across), 1)
        size = (max(_WIDTH * across, _NARROWEST), _HEIGHT * down)
        with style():
            figure = Figure(figsize=size, layout="constrained")
            axes = list(figure.subplots(down, across, squeeze=False).flat)
            for ax, panel in zip(axes, self.panels, strict=False):
                panel.draw(ax)
                ax.set_title(panel.title, parse_math=False)
            for ax in axes[len(self.panels) :]:
                ax.set_axis_off()
            if not self.panels:
                marks.remark(axes[0], "the run has nothing of this kind")
            elif self.keys:
                legends.figure_legend(figure, self.keys)
            if self.note:
                figure.suptitle(self.note, x=0.01, ha="left", parse_math=False)
        return figure
