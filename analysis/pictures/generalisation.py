"""Where in the env space a member does well: levels at their values of two knobs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from analysis.frames import Run
from analysis.members import last_played
from analysis.pictures import marks
from analysis.pictures.knob_axis import knob_axis
from analysis.pictures.style import LOW_TO_HIGH, UNKNOWN
from orchestrator.checks import nearest
from orchestrator.env_space import EnvSpace
from orchestrator.frozen import text
from orchestrator.knobs import Choice, Continuous, Knob, Simplex, ranged
from orchestrator.suites import TEST

_GRID = 48
_FEWEST = 12
"""So many levels must there be for a surface to be drawn between them."""


def generalisation_map(
    run: Run,
    x: str,
    y: str,
    ax: Axes,
    *,
    arm: str | None = None,
    suite: str = TEST,
    limits: tuple[float, float] | None = None,
) -> Axes:
    """Draw the return of each level of a suite at its values of two knobs.

    A dot is a level; its colour is the mean return over seeds, of what each member played last.
    Behind the dots of two numbers lies their average, weighted by a Gaussian kernel (Nadaraya
    1964, Watson 1964), and fades where there are no dots. In a row of a choice, dots are spread
    for the eye alone.

    Args:
        x, y: names of knobs; of a simplex the weight of a term, as ``mix.speed``. A number has its
            scale, a set of cells is as many as are set.
        ax: is drawn on, and returned.
        arm: whose; may be left out where there is but one.
        suite: ``test`` or ``select``.
        limits: the lowest and the highest return of the colours; those drawn if left out.

    Raises:
        ValueError: if there is no such knob, or `arm` is not named where there are several.
    """
    if not run.space:
        marks.remark(ax, "no arm was started yet")
        return ax
    name = _arm(run, arm)
    across, up = (_axis(run.space[name], each) for each in (x, y))
    knob_axis(ax, across.knob, "x")
    knob_axis(ax, up.knob, "y")
    ax.set_xlabel(x, parse_math=False)
    ax.set_ylabel(y, parse_math=False)
    marks.tidy(ax)
    levels = run.levels[(run.levels["arm"] == name) & (run.levels["suite"] == suite)]
    played = level_means(run, name, suite)
    returns = played[played.index.isin(levels["level"])]
    if returns.empty:
        marks.remark(ax, f"the {suite} suite was not played yet")
        return ax
    values = np.asarray(returns, dtype=np.float64)
    places = [axis.places(levels, returns.index) for axis in (across, up)]
    scale = marks.colours_of(values, limits)
    _surface(ax, across, up, places, values, scale)
    colours = colormaps[LOW_TO_HIGH].with_extremes(bad=UNKNOWN)
    ax.scatter(
        places[0],
        places[1],
        c=values,
        cmap=colours,
        norm=scale,
        s=34,
        edgecolors="white",
        linewidths=0.8,
        plotnonfinite=True,
        zorder=3,
    )
    marks.colour_bar(ax, ScalarMappable(scale, LOW_TO_HIGH), f"return ({suite} suite)")
    return ax


def knob_axes(space: EnvSpace) -> list[str]:
    """All that may be ``x`` or ``y`` of a map: knobs, and of simplex ones each term."""
    names: list[str] = []
    for name, knob in space.knobs.items():
        names += [f"{name}.{term}" for term in knob.terms] if isinstance(knob, Simplex) else [name]
    return names


@dataclass(frozen=True)
class _Axis:
    """A knob, or a term of it, as an axis.

    Attributes:
        source: the knob's name.
        term: of a simplex, else None.
        knob: what the axis shows.
    """

    source: str
    term: str | None
    knob: Knob

    def places(self, levels: pd.DataFrame, wanted: pd.Index) -> NDArray[np.float64]:
        """Where each level of ``wanted`` lies."""
        own = levels[levels["knob"] == self.source].set_index("level").reindex(wanted)
        if self.term is not None:
            return np.array([value[self.term] for value in own["value"]], dtype=float)
        if isinstance(self.knob, Choice):
            rows = {text(value): row for row, value in enumerate(self.knob.values)}
            # Multiples of the golden ratio spread evenly, however many there are.
            spread = np.modf(np.arange(len(own)) * 0.5 * (math.sqrt(5) - 1))[0] - 0.5
            row = np.array([rows[text(value)] for value in own["value"]], dtype=np.float64)
            spaced: NDArray[np.float64] = row + 0.7 * spread
            return spaced
        return np.asarray(own["number"], dtype=np.float64)

    def unit(self, places: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """Places in unit space; None where it has none, or is but one point."""
        numbers = ranged(self.knob)
        if numbers is None or numbers.low == numbers.high:
            return None
        if numbers.scale == "log":
            places, ends = np.log(places), np.log([numbers.low, numbers.high])
        else:
            ends = np.array([numbers.low, numbers.high], dtype=float)
        unit: NDArray[np.float64] = (places - ends[0]) / (ends[1] - ends[0])
        return unit

    def edges(self, count: int) -> NDArray[np.float64]:
        """The legal range in ``count`` parts of equal width in unit space."""
        numbers = ranged(self.knob)
        assert numbers is not None
        spaced = np.geomspace if numbers.scale == "log" else np.linspace
        return np.asarray(spaced(numbers.low, numbers.high, count + 1), dtype=float)


def _arm(run: Run, arm: str | None) -> str:
    if arm is None and len(run.space) == 1:
        return next(iter(run.space))
    if arm is None or arm not in run.space:
        raise ValueError(
            f"`arm` must be one of {', '.join(run.space)}, "
            f"but got {arm!r}{'' if arm is None else nearest(arm, run.space)}"
        )
    return arm


def _axis(space: EnvSpace, name: str) -> _Axis:
    known = knob_axes(space)
    if name not in known:
        raise ValueError(
            f"`x` and `y` must each be one of {', '.join(known) or 'none'}, "
            f"but got {name!r}{nearest(name, known)}"
        )
    if name in space.knobs and not isinstance(space.knobs[name], Simplex):
        return _Axis(name, None, space.knobs[name])
    for source, knob in space.knobs.items():
        if isinstance(knob, Simplex) and name in {f"{source}.{term}" for term in knob.terms}:
            return _Axis(source, name.removeprefix(f"{source}."), Continuous(0.0, 1.0))
    raise AssertionError(name)


def level_means(run: Run, arm: str, suite: str) -> pd.Series[float]:
    """Mean return by level."""
    played = run.scores[(run.scores["arm"] == arm) & (run.scores["suite"] == suite)]
    return last_played(played).groupby("level")["return"].mean()


def _surface(
    ax: Axes,
    across: _Axis,
    up: _Axis,
    places: list[NDArray[np.float64]],
    values: NDArray[np.float64],
    scale: Normalize,
) -> None:
    known = np.isfinite(values)
    units = (across.unit(places[0]), up.unit(places[1]))
    if units[0] is None or units[1] is None or known.sum() < _FEWEST:
        return
    mean, weight = kernel_average(units[0][known], units[1][known], values[known], _GRID)
    colours = colormaps[LOW_TO_HIGH](scale(mean))
    # As faint as a third where there is a lone level, and fading beyond.
    colours[..., 3] = 0.55 * np.clip(weight, 0, 1)
    ax.pcolormesh(across.edges(_GRID), up.edges(_GRID), colours, rasterized=True, zorder=1)


def kernel_average(
    x: NDArray[np.float64], y: NDArray[np.float64], values: NDArray[np.float64], cells: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The average of ``values`` near each cell of the unit square, and how much is near.

    Args:
        x, y, values: shape (levels,); places in [0, 1].
        cells: along each side.

    Returns:
        Averages and summed kernels, shape (cells, cells), y first. The kernel is Gaussian, one at
        its centre; its width follows Scott's rule (1992) for places uniform in the square.
    """
    width = math.sqrt(1 / 12) * len(values) ** (-1 / 6)
    centres = (np.arange(cells) + 0.5) / cells
    along_x = np.exp(-0.5 * ((centres[:, None] - x) / width) ** 2)
    along_y = np.exp(-0.5 * ((centres[:, None] - y) / width) ** 2)
    weight = along_y @ along_x.T
    total = (along_y * values) @ along_x.T
    return total / np.maximum(weight, np.finfo(float).tiny), weight
