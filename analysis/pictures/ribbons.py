"""How the distribution of a knob evolves: bands of numbers, stripes of weights."""

from __future__ import annotations

from matplotlib.axes import Axes

from analysis.frames import Run
from analysis.pictures import bands, crowds, marks
from analysis.pictures.knob_axis import knob_axis
from analysis.pictures.population import NOBODY, population_of
from analysis.pictures.style import INK
from orchestrator.knobs import ranged


def ribbon(run: Run, knob: str, ax: Axes) -> Axes:
    """Draw how each member's distribution of a knob evolves.

    A number is drawn as a band between the ends it is drawn from, within its legal range and on
    its own scale. A choice or a simplex has a row for each value or term, and there a stripe for
    each member: the more weight, the stronger. An arrow leads to where a copy goes on.

    Of a crowd it is drawn how many members draw from where: the more, the darker; of weights the
    mean. The ancestry of the best member has lines of its own.

    Args:
        run: of one population.
        knob: its name.
        ax: is drawn on, and returned.

    Raises:
        ValueError: if there is no such knob, or the run has several populations.
    """
    population = population_of(run)
    ax.set_ylabel(knob, parse_math=False)
    if population is None:
        marks.remark(ax, NOBODY)
        marks.time_axis(ax, 0)
        return ax
    legal = population.knob(knob)
    knob_axis(ax, legal)
    changes = run.distributions[run.distributions["knob"] == knob]
    numbers = ranged(legal)
    if numbers is None:
        weigh = crowds.mean_stripes if population.is_crowd else bands.stripes
        weigh(ax, population, changes)
    elif population.is_crowd:
        crowds.density(ax, population, changes, numbers)
        bands.ancestral(ax, population, changes, color=INK, linewidth=1.4)
    else:
        bands.bands(ax, population, changes, is_log=numbers.scale == "log")
    marks.time_axis(ax, population.end)
    return ax
