"""Who descends from whom: members as lanes, exploits as branches."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import pandas as pd
from matplotlib import colormaps, rcParams
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from analysis.frames import Run
from analysis.pictures import marks
from analysis.pictures.population import NOBODY, Population, population_of, rows_of
from analysis.pictures.style import GREY, INK, LOW_TO_HIGH, UNKNOWN

Lanes = dict[int, int]
"""The place of each member, from the top."""

Limits = tuple[float, float]
Colour = str | tuple[float, float, float, float]

_ON_WHITE = [withStroke(linewidth=3.2, foreground="white")]
_BRANCH: dict[str, Any] = {
    "arrowstyle": "-|>",
    "shrinkA": 0,
    "shrinkB": 0,
    "color": GREY,
    "linewidth": 1.0,
}
_HEIGHT = 0.44
"""Of a lane, if they are one apart."""


class _Exploit(NamedTuple):
    donor: int
    donor_iteration: int
    member: int
    iteration: int


def lineage_tree(run: Run, ax: Axes, *, limits: Limits | None = None) -> Axes:
    """Draw where every member's weights come from.

    Each member is a lane; the stretch before a boundary has the colour of the score on the select
    suite that it led to, grey if there is none. An exploit is a branch from the donor's lane to
    the copy's. The ancestry of the best member is the black line, which ends in a dot at its best
    score; of a crowd no other branches are drawn.

    Args:
        run: of one population.
        ax: is drawn on, and returned.
        limits: the lowest and the highest score of the colours; those of the run if left out.

    Raises:
        ValueError: if the run has several populations.
    """
    population = population_of(run)
    ax.set_ylabel("member")
    if population is None:
        marks.remark(ax, NOBODY)
    else:
        lanes = {member: lane for lane, member in enumerate(population.members)}
        _lanes(ax, population, lanes, marks.colours_of(population.scores["score"], limits))
        if not population.is_crowd:
            _branches(ax, population, lanes)
        _ancestry(ax, population, lanes)
        _lane_axis(ax, lanes)
    marks.time_axis(ax, 0 if population is None else population.end)
    return ax


def _lanes(ax: Axes, population: Population, lanes: Lanes, scale: Normalize) -> None:
    height = 1.0 if population.is_crowd else _HEIGHT
    for member, lane in lanes.items():
        own = rows_of(population.scores, member)
        until = population.until[member]
        ends = [0, *own["iteration"], until]
        colours = [*(_colour(score, scale) for score in own["score"]), UNKNOWN]
        spans = [(begin, end - begin) for begin, end in itertools.pairwise(ends)]
        place = (lane - height / 2, height)
        ax.broken_barh(
            spans, place, facecolors=colours, linewidth=0, rasterized=population.is_crowd
        )
    if not population.scores.empty:
        marks.colour_bar(ax, ScalarMappable(scale, LOW_TO_HIGH), "score (select suite)")


def _colour(score: float, scale: Normalize) -> Colour:
    return UNKNOWN if pd.isna(score) else colormaps[LOW_TO_HIGH](float(scale(score)))


def _exploits(population: Population, lanes: Lanes) -> list[_Exploit]:
    columns = ["donor", "donor_iteration", "member", "iteration"]
    told = population.run.lineage[columns].itertuples(index=False, name=None)
    return [_Exploit(*each) for each in told if each[0] in lanes and each[2] in lanes]


def _branches(ax: Axes, population: Population, lanes: Lanes) -> None:
    """An arrow for each exploit that the line of the ancestry does not show."""
    begun = {(member, first) for member, first, _ in population.ancestral if first > 0}
    for each in _exploits(population, lanes):
        if (each.member, each.iteration) in begun:
            continue
        down = 1 if lanes[each.donor] < lanes[each.member] else -1
        begin = (each.donor_iteration, lanes[each.donor] + down * _HEIGHT / 2)
        end = (each.iteration, lanes[each.member] - down * _HEIGHT / 2)
        # Bulges to the side of the past, and so arrives on the way to the future.
        shape = {**_BRANCH, "connectionstyle": f"arc3,rad={0.12 * down}"}
        ax.annotate("", xy=end, xytext=begin, arrowprops=shape, zorder=3)


def _ancestry(ax: Axes, population: Population, lanes: Lanes) -> None:
    """One line, from lane to lane."""
    points: list[tuple[int, int]] = []
    for member, first, last in population.ancestral:
        points += [(first, lanes[member]), (last, lanes[member])]
    if not points:
        return
    xs, ys = zip(*points, strict=True)
    ax.plot(xs, ys, color=INK, linewidth=1.8, path_effects=_ON_WHITE, zorder=5)
    ax.plot(xs[-1:], ys[-1:], color=INK, marker="o", markersize=5, path_effects=_ON_WHITE, zorder=6)


def _lane_axis(ax: Axes, lanes: Lanes) -> None:
    ax.set_ylim(max(len(lanes), 1) - 0.4, -0.6)
    if len(lanes) <= marks.CROWD:
        ax.set_yticks(list(lanes.values()), [f"m{member}" for member in lanes])
    else:
        ax.yaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.tick_params(axis="y", length=0, labelsize=rcParams["ytick.labelsize"])
