"""How the members of a population score, boundary by boundary."""

from __future__ import annotations

import math

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from analysis.frames import Run
from analysis.pictures import marks
from analysis.pictures.population import NOBODY, Population, population_of, rows_of
from analysis.pictures.style import FAINT, HALO, INK, look

Point = tuple[float, float]


def scores(run: Run, ax: Axes) -> Axes:
    """Draw the score of every member on the select suite.

    A line breaks where its member became a copy of another one; an arrow leads to where it goes
    on. The ancestry of the best member has a halo. Of a crowd only that ancestry stands out.

    Args:
        run: of one population.
        ax: is drawn on, and returned.

    Raises:
        ValueError: if the run has several populations.
    """
    population = population_of(run)
    ax.set_ylabel("score\n(return, select suite)")
    if population is None:
        marks.remark(ax, NOBODY)
    elif population.scores.empty:
        marks.remark(ax, "no member was scored yet")
    elif population.is_crowd:
        lines = [_line(population, member) for member in population.members]
        ax.add_collection(LineCollection(lines, colors=FAINT, linewidths=0.5))
        ax.plot(*_ancestry(population), color=INK, linewidth=1.6, marker="o", markersize=3)
        ax.autoscale_view()
    else:
        ax.plot(*_ancestry(population), **HALO)
        for member in population.members:
            _member(ax, population, member)
    marks.time_axis(ax, 0 if population is None else population.end)
    return ax


def _member(ax: Axes, population: Population, member: int) -> None:
    points = _line(population, member)
    ax.plot(*_columns(points), markersize=4, linewidth=1.5, **look(member))
    for (at, before), (gap, _), (_, after) in zip(points, points[1:], points[2:], strict=False):
        if math.isnan(gap):
            marks.arrow(ax, member, at, before, after)


def _line(population: Population, member: int) -> list[Point]:
    """Iterations and scores of a member; two NaN where it became a copy of its donor.

    What follows such a gap was not learnt from what stood before it.
    """
    own = rows_of(population.scores, member)
    copies = rows_of(population.run.lineage, member).set_index("iteration")["donor_score"].to_dict()
    points: list[Point] = []
    for iteration, score in zip(own["iteration"], own["score"], strict=True):
        points.append((iteration, score))
        if iteration in copies:
            points += [(math.nan, math.nan), (iteration, copies[iteration])]
    return points


def _ancestry(population: Population) -> tuple[list[float], list[float]]:
    if population.ancestry is None or len(population.members) == 1:
        return [], []
    played = population.ancestry.scores.drop_duplicates("trained")
    return played["iteration"].to_list(), played["score"].to_list()


def _columns(points: list[Point]) -> tuple[list[float], list[float]]:
    return [at for at, _ in points], [value for _, value in points]
