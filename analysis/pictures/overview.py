"""A run on one page: how its members score, and below how the range of each knob evolves."""

from __future__ import annotations

from matplotlib.figure import Figure

from analysis.frames import Run
from analysis.pictures import legends, marks
from analysis.pictures.member_scores import scores
from analysis.pictures.population import NOBODY, first_populations, population_of
from analysis.pictures.ribbons import ribbon
from analysis.pictures.style import style

_MOST_COLUMNS = 8


def overview(run: Run) -> Figure:
    """The whole run on one page: scores on top, below them a ribbon for each knob.

    Each population is a column; all share their axes. Of more than eight it is the first seeds of
    all arms.
    """
    shown = first_populations(run.populations, _MOST_COLUMNS)
    knobs = list(dict.fromkeys(name for arm, _ in shown for name in run.space[arm].knobs))
    heights = [2.6, *(1.3 for _ in knobs)]
    columns = max(len(shown), 1)
    size = (8.0 if columns == 1 else 4.0 * columns, sum(heights) + 1.0)
    with style():
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(
            len(heights),
            columns,
            squeeze=False,
            sharex=True,
            sharey="row",
            gridspec_kw={"height_ratios": heights},
        )
        members: dict[int, None] = {}
        until = 0
        for column, (arm, seed) in zip(grid.T, shown, strict=False):
            own = run.of(arm, seed)
            population = population_of(own)
            if population is not None:
                members |= dict.fromkeys(population.members)
                until = max(until, population.end)
            scores(own, column[0])
            if columns > 1:
                column[0].set_title(f"{arm}, seed {seed}", parse_math=False)
            for knob, ax in zip(knobs, column[1:], strict=True):
                if knob in run.space[arm].knobs:
                    ribbon(own, knob, ax)
                else:
                    marks.remark(ax, "not a knob of this arm")
        if not shown:
            marks.remark(grid[0, 0], NOBODY)
        for ax in grid.flat:
            marks.time_axis(ax, until)
            ax.label_outer()
        figure.align_ylabels(grid[:, 0])
        figure.suptitle(_headline(run, shown), x=0.01, ha="left", parse_math=False)
        keys = legends.keys(sorted(members))
        legends.figure_legend(figure, keys)
    return figure


def _headline(run: Run, shown: list[tuple[str, int]]) -> str:
    members = run.distributions[["arm", "seed", "member"]].drop_duplicates()
    counted = [
        (len(members), "member"),
        (len(run.lineage), "exploit"),
        (len(run.mutations), "env mutation"),
    ]
    said = [f"{count} {word}{'' if count == 1 else 's'}" for count, word in counted]
    if len(shown) < len(run.populations):
        said.append(f"{len(shown)} of {len(run.populations)} populations shown")
    return f"{run.name}: {' · '.join(said)}"
