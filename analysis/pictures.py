"""Pictures of a run: how members score, and how the distributions of their envs evolve.

Each function draws one population, that is one (arm, seed), onto axes that it is given; colours
and markers tell members apart and mean the same everywhere. An arrow is an exploit: it leads from
where the member was to where it goes on as a changed copy of its donor.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from analysis.frames import Run
from analysis.legal_axis import show_legal_range
from orchestrator.checks import nearest
from orchestrator.knobs import Choice, Knob, Numeric, Simplex
from orchestrator.pictures import label as short_label
from orchestrator.suites import SELECT

DPI = 150

# Okabe and Ito's palette for colour-blind readers, without its yellow (too faint on white).
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_MOST_IN_A_LEGEND = 14
_GREY = "0.45"


@dataclass(frozen=True)
class _Population:
    """What is drawn of one (arm, seed)."""

    arm: str
    seed: int
    scores: pd.DataFrame
    lineage: pd.DataFrame
    distributions: pd.DataFrame
    members: tuple[int, ...]
    until: int


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
    for member in population.members:
        own = _of(population.scores, member)
        copies = _of(population.lineage, member).set_index("iteration")["donor_score"].to_dict()
        xs: list[float] = []
        ys: list[float] = []
        for iteration, score in zip(own["iteration"], own["score"], strict=True):
            xs.append(iteration)
            ys.append(score)
            if iteration in copies:
                # The line breaks here: what follows was not learnt from what stood before.
                xs += [math.nan, iteration]
                ys += [math.nan, copies[iteration]]
                _arrow(ax, (iteration, score), (iteration, copies[iteration]), member)
        ax.plot(xs, ys, markersize=4, linewidth=1.6, **_look(member))
    ax.set_xlim(0, max(population.until, 1))
    ax.set_ylabel("score\n(return, select suite)")
    ax.set_xlabel("training iteration")
    _tidy(ax)
    if not len(population.scores):
        _remark(ax, "no member was scored yet")
    return ax


def ribbon(run: Run, knob: str, ax: Axes, arm: str | None = None, seed: int | None = None) -> Axes:
    """Draw how each member's distribution of a knob evolves.

    A number is drawn as a band from its lowest to its highest value, within its legal range (and
    on its own scale). A choice or a simplex is drawn as a row per value or term, with a stripe per
    member that is the stronger the more weight it has.

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
        raise ValueError(f"`knob` must name a knob of the run, got {knob!r}{nearest(knob, knobs)}")
    drawn = population.distributions[population.distributions["knob"] == knob]
    kind = knobs[knob]
    if isinstance(kind, Numeric):
        show_legal_range(kind, ax)
        for member in population.members:
            _band(kind, _of(drawn, member), _of(population.lineage, member), population.until, ax)
    else:
        _stripes(kind, drawn, population, ax)
    ax.set_xlim(0, max(population.until, 1))
    ax.set_ylabel(knob, parse_math=False)
    ax.set_xlabel("training iteration")
    _tidy(ax)
    return ax


def overview(run: Run) -> Figure:
    """The whole run on one page: scores on top, below them a ribbon for each knob.

    A population is a column; columns share their axes.
    """
    populations = run.populations
    if not populations:
        figure = Figure(figsize=(6.0, 2.0), layout="constrained")
        _remark(figure.add_subplot(), "no member was started yet")
        return figure
    knobs = list(dict.fromkeys(name for space in run.space.values() for name in space.knobs))
    heights = [2.6, *(1.35 for _ in knobs)]
    width = 8.0 if len(populations) == 1 else 4.4 * len(populations)
    figure = Figure(figsize=(width, sum(heights) + 0.9), layout="constrained")
    grid = figure.subplots(
        len(heights),
        len(populations),
        squeeze=False,
        sharex="col",
        sharey="row",
        gridspec_kw={"height_ratios": heights},
    )
    for column, (arm, seed) in zip(grid.T, populations, strict=True):
        scores(run, column[0], arm, seed)
        if len(populations) > 1:
            column[0].set_title(f"{arm}, seed {seed}", fontsize=10, parse_math=False)
        for knob, ax in zip(knobs, column[1:], strict=True):
            if knob in run.space[arm].knobs:
                ribbon(run, knob, ax, arm, seed)
            else:
                _remark(ax, "not a knob of this arm")
        for ax in column:
            ax.label_outer()
    figure.align_ylabels(grid[:, 0])
    figure.suptitle(_headline(run), fontsize=11, x=0.01, ha="left", parse_math=False)
    _legend(run, figure)
    return figure


def save(figure: Figure, path: str | Path) -> None:
    """Write a picture; its ending says the format (png, svg, pdf).

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
            f"`arm` and `seed` must name one population, but {arm!r}, {seed!r} fit {len(found)}; "
            f"the run has {known or 'none yet'}"
        )
    name, number = found[0]

    def own(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[(frame["arm"] == name) & (frame["seed"] == number)]

    results, drawn = own(run.results), own(run.distributions)
    played = own(run.scores[run.scores["suite"] == SELECT])
    seen = pd.concat([results["member"], drawn["member"], played["member"]])
    ends = pd.concat([results["iteration"], drawn["iteration"], played["iteration"]])
    return _Population(
        arm=name,
        seed=number,
        scores=played.drop_duplicates(["member", "iteration"]),
        lineage=own(run.lineage),
        distributions=drawn,
        members=tuple(int(member) for member in sorted(seen.unique())),
        until=int(ends.max()) if len(ends) else 0,
    )


def _of(frame: pd.DataFrame, member: int) -> pd.DataFrame:
    return frame[frame["member"] == member]


def _look(member: int) -> dict[str, Any]:
    turn = member // len(_COLOURS)
    return {
        "color": _COLOURS[member % len(_COLOURS)],
        "marker": _MARKERS[(member + turn) % len(_MARKERS)],
    }


def _arrow(
    ax: Axes, start: tuple[float, float], end: tuple[float, float], member: int
) -> None:
    if not all(map(math.isfinite, (*start, *end))):
        return
    colour = _look(member)["color"]
    style = {"arrowstyle": "-|>", "linestyle": (0, (2, 1.5)), "color": colour, "linewidth": 1.1}
    ax.annotate(
        "", xy=end, xytext=start, arrowprops=style | {"shrinkA": 2, "shrinkB": 2}, zorder=4
    )


def _band(
    knob: Numeric, drawn: pd.DataFrame, copies: pd.DataFrame, until: int, ax: Axes
) -> None:
    """One member's range over time; of several changes at one iteration the last one holds."""
    if drawn.empty:
        return
    member = int(drawn["member"].iloc[0])
    colour = _look(member)["color"]
    held = drawn.drop_duplicates("iteration", keep="last")
    xs = np.append(held["iteration"].to_numpy(), until)
    low, high = (np.append(held[end].to_numpy(), held[end].iloc[-1]) for end in ("low", "high"))
    ax.fill_between(xs, low, high, step="post", color=colour, alpha=0.16, linewidth=0)
    for end in (low, high):
        ax.step(xs, end, where="post", color=colour, linewidth=1.3, alpha=0.9)
    middle = np.array([knob.from_unit(m) for m in _middles(knob, low, high)])
    for iteration in copies["iteration"]:
        after = int(np.searchsorted(xs[:-1], iteration, side="right")) - 1
        before = max(int(np.searchsorted(xs[:-1], iteration, side="left")) - 1, 0)
        ax.plot(iteration, middle[after], markersize=4, zorder=5, **_look(member))
        if before != after:
            _arrow(ax, (iteration, middle[before]), (iteration, middle[after]), member)


def _middles(knob: Numeric, low: np.ndarray, high: np.ndarray) -> Iterator[float]:
    for ends in zip(low, high, strict=True):
        yield sum(knob.to_unit(end) for end in ends) / 2


def _stripes(knob: Knob, drawn: pd.DataFrame, population: _Population, ax: Axes) -> None:
    """A row per value or term; in each a stripe per member, as strong as its weight."""
    rows = _rows(drawn)
    thickness = 0.8 / max(len(population.members), 1)
    for place, member in enumerate(population.members):
        held = _of(drawn, member).drop_duplicates("iteration", keep="last")
        begins = [*held["iteration"], population.until]
        spans = [(begin, end - begin) for begin, end in zip(begins, begins[1:], strict=False)]
        jumps = list(_of(population.lineage, member)["iteration"])
        for row, name in enumerate(rows):
            bottom = row - 0.4 + place * thickness
            shades = [
                to_rgba(_look(member)["color"], 0.9 * weights[name]) for weights in held["weights"]
            ]
            ax.broken_barh(spans, (bottom, thickness), facecolors=shades, linewidth=0)
            ax.plot(
                jumps,
                [bottom + thickness / 2] * len(jumps),
                linestyle="none",
                markersize=3,
                **_look(member),
            )
    ax.set_yticks(range(len(rows)), [_row_label(knob, name) for name in rows], fontsize=8)
    ax.set_ylim(len(rows) - 0.5, -0.5)


def _rows(drawn: pd.DataFrame) -> list[str]:
    return list(drawn["weights"].iloc[0]) if len(drawn) else []


def _row_label(knob: Knob, name: str) -> str:
    return short_label(name)


def _tidy(ax: Axes) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="x", color="0.9", linewidth=0.6)
    ax.set_axisbelow(True)


def _remark(ax: Axes, text: str) -> None:
    ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", color=_GREY)
    ax.set_axis_off()


def _headline(run: Run) -> str:
    counts = [
        (len(run.populations), "population"),
        (len(run.lineage), "exploit"),
        (len(run.mutations), "env mutation"),
    ]
    said = " · ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in counts)
    return f"{run.name}:  {said}"


def _legend(run: Run, figure: Figure) -> None:
    pass
