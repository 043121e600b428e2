"""What each hyperparameter was while the population searched it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from analysis.drawn import knob_of
from analysis.frames import Run
from analysis.pictures import bands, crowds, marks
from analysis.pictures.knob_axis import knob_axis
from analysis.pictures.population import NOBODY, Population, population_of
from analysis.pictures.style import HALO, INK
from orchestrator.checks import nearest
from orchestrator.frozen import text
from orchestrator.knobs import Choice, Knob, Numeric
from orchestrator.searched import CURRICULUM, POLICY


def hyperparameters(run: Run, name: str, ax: Axes) -> Axes:
    """Draw a searched hyperparameter of every member, in the range and on the scale of its search.

    The schedule that the best member's weights saw, along their ancestry, has a halo. An arrow
    leads to where a copy goes on.

    Args:
        run: of one population.
        name: its name, such as ``lr`` or ``curriculum.temperature``.
        ax: is drawn on, and returned.

    Raises:
        ValueError: if there is no such hyperparameter, or the run has several populations.
    """
    population = population_of(run)
    ax.set_ylabel(name, parse_math=False)
    if population is None:
        marks.remark(ax, NOBODY)
        marks.time_axis(ax, 0)
        return ax
    search = searched(run.arms[population.arm])
    changes = _changes(run, name, search)
    knob = search.get(name)
    if knob is not None:
        knob_axis(ax, knob)
    if isinstance(knob, Choice):
        _choices(ax, population, changes, knob)
    else:
        _numbers(ax, population, changes, is_log=isinstance(knob, Numeric) and knob.scale == "log")
    marks.time_axis(ax, population.end)
    return ax


def searched(arm: Mapping[str, Any]) -> dict[str, Knob]:
    """What an arm of a resolved experiment file searches, by the names in a run's frames."""
    algorithm = arm.get("algorithm", {})
    found = dict(algorithm.get("search", {}))
    for policy, keys in algorithm.get("policy_search", {}).items():
        found |= {f"{POLICY}{policy}.{key}": given for key, given in keys.items()}
    own = arm.get("curriculum", {}).get("search", {})
    found |= {f"{CURRICULUM}{key}": given for key, given in own.items()}
    return {name: knob_of(given) for name, given in found.items()}


def _changes(run: Run, name: str, search: Mapping[str, Knob]) -> pd.DataFrame:
    known = {*search, *run.hyperparameters["name"]}
    if name not in known:
        raise ValueError(
            f"`name` must be one of {', '.join(sorted(known)) or 'none'}, as the population "
            f"searches these, but got {name!r}{nearest(name, known)}"
        )
    return run.hyperparameters[run.hyperparameters["name"] == name]


def _numbers(ax: Axes, population: Population, changes: pd.DataFrame, *, is_log: bool) -> None:
    held = changes.assign(low=changes["number"], high=changes["number"])
    if population.is_crowd:
        crowds.traces(ax, population, held)
        bands.ancestral(ax, population, held, ["low"], color=INK, linewidth=1.8)
    else:
        bands.ancestral(ax, population, held, ["low"], **HALO)
        bands.bands(ax, population, held, is_log=is_log)


def _choices(ax: Axes, population: Population, changes: pd.DataFrame, knob: Choice) -> None:
    names = [text(value) for value in knob.values]
    taken = [text(value) for value in changes["value"]]
    weights = [{name: float(name == each) for name in names} for each in taken]
    held = changes.assign(weights=pd.Series(weights, index=changes.index, dtype="object"))
    weigh = crowds.mean_stripes if population.is_crowd else bands.stripes
    weigh(ax, population, held)
