"""How much of the env space the distributions cover, over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from analysis.coverage import known_mean
from analysis.frames import Run
from analysis.pictures import legends, marks
from analysis.pictures.population import NOBODY, Population, population_of
from analysis.pictures.shares import of_space
from analysis.pictures.style import FAINT, TOGETHER, look, looks

Array = NDArray[np.float64]

_NO_KNOBS = "the env has no knobs"


def coverage(run: Run, ax: Axes, knob: str | None = None) -> Axes:
    """Draw which share of the legal range each member draws from, and all of them together.

    Args:
        run: of one population.
        ax: is drawn on, and returned.
        knob: its name; left out, the mean over knobs.

    Raises:
        ValueError: if there is no such knob, or the run has several populations.
    """
    population = population_of(run)
    if population is None or not population.space.knobs:
        _axes(ax, 0, knob)
        marks.remark(ax, NOBODY if population is None else _NO_KNOBS)
        return ax
    if knob is not None:
        population.knob(knob)
    edges, own, together = of_space(population, knob)
    if population.is_crowd:
        lines = [marks.staircase(edges, shares) for shares in own]
        ax.add_collection(LineCollection(lines, colors=FAINT, linewidths=0.5))
    else:
        for member, shares in zip(population.members, own, strict=True):
            ax.plot(*marks.staircase(edges, shares).T, color=look(member)["color"], linewidth=1.3)
    if len(population.members) > 1:
        ax.plot(*marks.staircase(edges, together).T, **TOGETHER)
        legends.legend(ax, [legends.together_key()], loc="best")
    _axes(ax, population.end, knob)
    return ax


def coverage_by_arm(
    run: Run, ax: Axes, knob: str | None = None, *, arms: Sequence[str] | None = None
) -> Axes:
    """Draw which share of the legal range the members of a population draw from together.

    A faint line for each seed, and the mean over the seeds of an arm as long as all of them train.

    Args:
        run: of any number of populations.
        ax: is drawn on, and returned.
        knob: its name; left out, the mean over knobs.
        arms: all that there are, if ``run`` has some of them only: their colours follow from it.

    Raises:
        ValueError: if an arm has no such knob.
    """
    styles = looks(run.space if arms is None else arms)
    labels: dict[str, str] = {}
    end = 0
    for arm in dict.fromkeys(arm for arm, _ in run.populations):
        seeds = [seed for name, seed in run.populations if name == arm]
        found = [population_of(run.of(arm, seed)) for seed in seeds]
        drawn = [each for each in found if each is not None and each.space.knobs]
        for each in drawn:
            end = max(end, each.end)
        _arm(ax, [_together(each, knob) for each in drawn], styles[arm])
        if drawn:
            labels[arm] = arm
    _axes(ax, end, knob)
    if labels:
        legends.arms_legend(ax, legends.arm_keys(labels, styles))
    else:
        marks.remark(ax, _NO_KNOBS if run.populations else NOBODY)
    return ax


def _together(population: Population, knob: str | None) -> tuple[Array, Array]:
    if knob is not None:
        population.knob(knob)
    edges, _, together = of_space(population, knob)
    return edges, together


def _arm(ax: Axes, seeds: Sequence[tuple[Array, Array]], style: dict[str, Any]) -> None:
    for edges, shares in seeds:
        ax.plot(*marks.staircase(edges, shares).T, color=style["color"], linewidth=0.7, alpha=0.35)
    if not seeds:
        return
    end = min(edges[-1] for edges, _ in seeds)
    common = np.unique(np.concatenate([edges for edges, _ in seeds]))
    common = common[common <= end]
    at = [np.searchsorted(edges, common[:-1], side="right") - 1 for edges, _ in seeds]
    values = [shares[place] for (_, shares), place in zip(seeds, at, strict=True)]
    ax.plot(*marks.staircase(common, known_mean(np.array(values))).T, linewidth=1.6, **style)


def _axes(ax: Axes, until: int, knob: str | None) -> None:
    marks.time_axis(ax, until)
    ax.set_ylim(-0.02, 1.04)
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1))
    what = "mean over knobs" if knob is None else knob
    ax.set_ylabel(f"share of the legal range\n({what})", parse_math=False)
