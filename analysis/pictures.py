"""Pictures of a run: how members score, and how the distributions of their envs evolve.

`scores` and `ribbon` draw one population, that is one (arm, seed), onto axes that they are given;
`overview` puts them all on one page. Colours and markers tell members apart and mean the same
everywhere. An arrow is an exploit: it leads from where a member was to where it goes on as a
changed copy of its donor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis import marks
from analysis.frames import Run
from orchestrator.checks import nearest
from orchestrator.knobs import Choice, Simplex, ranged
from orchestrator.suites import SELECT

DPI = 150
"""Dots per inch of a saved picture."""

_MOST_MEMBERS_IN_LEGEND = 14


@dataclass(frozen=True)
class _Population:
    """What is drawn of one (arm, seed).

    Attributes:
        until: the last iteration of each member.
    """

    arm: str
    scores: pd.DataFrame
    lineage: pd.DataFrame
    distributions: pd.DataFrame
    until: dict[int, int]

    @property
    def end(self) -> int:
        return max(self.until.values(), default=0)

    def copied(self, member: int) -> list[int]:
        """Iterations at which a member became a copy."""
        return _of(self.lineage, member)["iteration"].to_list()


def scores(run: Run, ax: Axes, arm: str | None = None, seed: int | None = None) -> Axes:
    """Draw the score of every member on the select suite, boundary by boundary.

    Args:
        run: where it is read from.
        ax: is drawn on, and returned.
        arm, seed: which population; may be left out where there is but one.

    Raises:
        ValueError: if these do not name one population.
    """
    population = _population(run, arm, seed)
    for member in population.until:
        own = _of(population.scores, member)
        copies = _of(population.lineage, member).set_index("iteration")["donor_score"].to_dict()
        xs: list[float] = []
        ys: list[float] = []
        for iteration, score in zip(own["iteration"], own["score"], strict=True):
            xs.append(iteration)
            ys.append(score)
            if iteration in copies:
                # The line breaks: what follows was not learnt from what stood before.
                xs += [math.nan, iteration]
                ys += [math.nan, copies[iteration]]
                marks.arrow(ax, member, iteration, score, copies[iteration])
        ax.plot(xs, ys, markersize=4, linewidth=1.6, **marks.look(member))
    ax.set_ylabel("score\n(return, select suite)")
    marks.tidy(ax, population.end)
    if population.scores.empty:
        marks.remark(ax, "no member was scored yet")
    return ax


def ribbon(run: Run, knob: str, ax: Axes, arm: str | None = None, seed: int | None = None) -> Axes:
    """Draw how each member's distribution of a knob evolves.

    A number is drawn as a band between the ends it is drawn from, within its legal range and on
    its own scale. A choice or a simplex has a row for each value or term, and there a stripe for
    each member: the more weight, the stronger.

    Args:
        run: where it is read from.
        knob: its name.
        ax: is drawn on, and returned.
        arm, seed: which population; may be left out where there is but one.

    Raises:
        ValueError: if there is no such knob, or these do not name one population.
    """
    population = _population(run, arm, seed)
    knobs = run.space[population.arm].knobs
    if knob not in knobs:
        raise ValueError(
            f"`knob` must be one of {', '.join(knobs) or 'none'}, "
            f"but got {knob!r}{nearest(knob, knobs)}"
        )
    drawn = population.distributions[population.distributions["knob"] == knob]
    legal, numbers = knobs[knob], ranged(knobs[knob])
    if numbers is not None:
        marks.legal_range(ax, numbers)
    elif isinstance(legal, Choice):
        marks.rows(ax, legal.values)
    elif isinstance(legal, Simplex):
        marks.rows(ax, legal.terms)
    lanes = {member: lane for lane, member in enumerate(population.until)}
    for member, until in population.until.items():
        # Of several changes at one iteration the last one holds.
        held = _of(drawn, member).drop_duplicates("iteration", keep="last")
        times = [*held["iteration"], until]
        copied = population.copied(member)
        if numbers is not None:
            ends = list(zip(held["low"], held["high"], strict=True))
            marks.band(ax, member, numbers, times, ends, copied, len(lanes))
        else:
            marks.stripes(ax, lanes, member, times, held["weights"].to_list(), copied)
    ax.set_ylabel(knob, parse_math=False)
    marks.tidy(ax, population.end)
    return ax


def overview(run: Run) -> Figure:
    """The whole run on one page: scores on top, below them a ribbon for each knob.

    Each population is a column; all share their axes.
    """
    knobs = list(dict.fromkeys(name for space in run.space.values() for name in space.knobs))
    heights = [2.6, *(1.3 for _ in knobs)]
    columns = max(len(run.populations), 1)
    figure = Figure(
        figsize=(8.0 if columns == 1 else 4.5 * columns, sum(heights) + 1.0), layout="constrained"
    )
    grid = figure.subplots(
        len(heights),
        columns,
        squeeze=False,
        sharex=True,
        sharey="row",
        gridspec_kw={"height_ratios": heights},
    )
    members: list[int] = []
    until = 0
    for column, (arm, seed) in zip(grid.T, run.populations, strict=False):
        population = _population(run, arm, seed)
        members += population.until
        until = max(until, population.end)
        scores(run, column[0], arm, seed)
        if columns > 1:
            column[0].set_title(f"{arm}, seed {seed}", fontsize=10, parse_math=False)
        for knob, ax in zip(knobs, column[1:], strict=True):
            if knob in run.space[arm].knobs:
                ribbon(run, knob, ax, arm, seed)
            else:
                marks.remark(ax, "not a knob of this arm")
    if not run.populations:
        marks.remark(grid[0, 0], "no member was started yet")
    for ax in grid.flat:
        marks.tidy(ax, until)
        ax.label_outer()
    figure.align_ylabels(grid[:, 0])
    figure.suptitle(_headline(run, len(members)), x=0.01, ha="left", fontsize=11, parse_math=False)
    handles = marks.keys(sorted(set(members)), most=_MOST_MEMBERS_IN_LEGEND)
    figure.legend(handles=handles, loc="outside lower center", ncols=8, fontsize=9, frameon=False)
    return figure


def save(figure: Figure, path: str | Path) -> None:
    """Write a picture; the ending of ``path`` says the format (png, svg, pdf).

    Raises:
        ValueError: for an ending that is none.
        OSError: if it cannot be written.
    """
    figure.savefig(path, dpi=DPI)


def _population(run: Run, arm: str | None, seed: int | None) -> _Population:
    found = [
        each
        for each in run.populations
        if (arm is None or each[0] == arm) and (seed is None or each[1] == seed)
    ]
    if len(found) != 1:
        known = ", ".join(f"({name!r}, {number})" for name, number in run.populations)
        raise ValueError(
            f"`arm` and `seed` must name one population, but {arm!r} and {seed!r} fit "
            f"{len(found)}; the run has {known or 'none yet'}"
        )
    name, number = found[0]

    def own(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[(frame["arm"] == name) & (frame["seed"] == number)]

    results, drawn = own(run.results), own(run.distributions)
    played = own(run.scores[run.scores["suite"] == SELECT])
    seen = pd.concat([each[["member", "iteration"]] for each in (results, drawn, played)])
    ends = seen.groupby("member")["iteration"].max()
    return _Population(
        arm=name,
        scores=played.drop_duplicates(["member", "iteration"]),
        lineage=own(run.lineage),
        distributions=drawn,
        until=dict(zip(ends.index.to_list(), ends.to_list(), strict=True)),
    )


def _of(frame: pd.DataFrame, member: int) -> pd.DataFrame:
    return frame[frame["member"] == member]


def _headline(run: Run, members: int) -> str:
    counted = [
        (members, "member"),
        (len(run.lineage), "exploit"),
        (len(run.mutations), "env mutation"),
    ]
    said = " · ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counted)
    return f"{run.name}: {said}"
