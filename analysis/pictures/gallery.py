"""Every picture of a run by its name, as a figure: a panel for each thing that there is to draw."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import partial

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.comparison.comparing import compare
from analysis.frames import Run
from analysis.pictures import legends, marks
from analysis.pictures.covered import coverage, coverage_by_arm
from analysis.pictures.curves import learning_curves, performance_profiles
from analysis.pictures.durations import time_spent
from analysis.pictures.generalisation import generalisation_map, knob_axes, level_means
from analysis.pictures.levels import level_heat_map
from analysis.pictures.lineage import lineage_tree
from analysis.pictures.member_scores import scores
from analysis.pictures.overview import overview
from analysis.pictures.population import first_populations
from analysis.pictures.ribbons import ribbon
from analysis.pictures.schedules import hyperparameters
from analysis.pictures.sheets import Panel, Sheet
from orchestrator.checks import nearest
from orchestrator.suites import SELECT, TEST

_MOST_POPULATIONS = 12
_MOST_COLUMNS = 4
_FEW_ARMS = 3


def picture(run: Run, name: str) -> Figure:
    """The picture of that name, of all that the run has to show for it.

    Of more than twelve populations the first seeds of all arms are drawn.

    Raises:
        ValueError: if there is no such picture; names all that there are, and the nearest.
        analysis.NotComparable: if curves or profiles are asked for and there is nothing to draw.
    """
    if name not in _PICTURES:
        hint = nearest(name, NAMES)
        raise ValueError(f"a picture must be one of {', '.join(NAMES)}, but got {name!r}{hint}")
    return _PICTURES[name](run)


def _scores(run: Run) -> Figure:
    shown, note = _populations(run)
    panels = [Panel(partial(scores, own), title) for own, title in shown]
    return Sheet(panels, keys=_keys(run), note=note).figure()


def _trees(run: Run) -> Figure:
    """Of populations with several members, if there are any."""
    shown, note = _populations(run, _bred(run))
    limits = _limits(run.scores.loc[run.scores["suite"] == SELECT, "score"])
    panels = [Panel(partial(lineage_tree, own, limits=limits), title) for own, title in shown]
    return Sheet(panels, note=note).figure()


def _ribbons(run: Run) -> Figure:
    """A row for each population, if it is not too long."""
    shown, note = _populations(run)
    panels = [
        Panel(partial(ribbon, own, knob), title)
        for own, title in shown
        for space in own.space.values()
        for knob in space.knobs
    ]
    return Sheet(panels, _columns(panels, len(shown)), _keys(run), note).figure()


def _schedules(run: Run) -> Figure:
    shown, note = _populations(run)
    panels = [
        Panel(partial(hyperparameters, own, name), title)
        for own, title in shown
        for name in dict.fromkeys(own.hyperparameters["name"])
    ]
    return Sheet(panels, _columns(panels, len(shown)), _keys(run), note).figure()


def _maps(run: Run) -> Figure:
    """For each arm a map of every two knobs; all have the same colours."""
    means = [level_means(run, arm, TEST) for arm in run.space]
    limits = _limits(pd.concat(means)) if means else None
    panels = [
        Panel(
            partial(generalisation_map, run, x, y, arm=arm, limits=limits),
            arm if len(run.space) > 1 else "",
        )
        for arm, space in run.space.items()
        for x, y in itertools.combinations(knob_axes(space), 2)
    ]
    return Sheet(panels, _columns(panels, len(run.space))).figure()


def _heat_maps(run: Run) -> Figure:
    """Of one population the select suite, over members and over time; of several the test suite."""
    suite = SELECT if len(run.populations) < 2 else TEST
    played = run.scores[run.scores["suite"] == suite]
    ways = {SELECT: ("member", "iteration"), TEST: ("arm", ("arm", "seed"))}
    draws = [partial(level_heat_map, played, by=by) for by in ways[suite]]
    return Sheet([Panel(draw, f"{suite} suite") for draw in draws]).figure()


def _coverage(run: Run) -> Figure:
    """The mean over knobs, then each of them: of one population its members, of several all."""
    several = len(run.populations) > 1
    draw = coverage_by_arm if several else coverage
    keys = _arm_keys(run) if several else [*_member_keys(run), legends.together_key()]
    names = [set(space.names) for space in run.space.values()]
    common = sorted(set.intersection(*names)) if names else []
    draws = [partial(draw, run, knob=knob) for knob in (None, *common)]
    return Sheet([Panel(partial(_bare, each)) for each in draws], keys=keys).figure()


def _time(run: Run) -> Figure:
    ways = ("iteration", "arm" if len(run.space) > 1 else "member")
    return Sheet([Panel(partial(time_spent, run.seconds, by=by)) for by in ways]).figure()


def _curves(run: Run) -> Figure:
    """With a line for each seed, unless so many of them hide more than they show."""
    compared = compare(run, suite=SELECT)
    bands, arms = compared.bands, [arm.name for arm in compared.arms]
    seeds = compared.curves if bands.empty or len(arms) <= _FEW_ARMS else None
    return Sheet([Panel(partial(learning_curves, bands, curves=seeds, arms=arms))]).figure()


def _profiles(run: Run) -> Figure:
    suite = TEST if (run.scores["suite"] == TEST).any() else SELECT
    compared = compare(run, suite=suite)
    draw = partial(performance_profiles, compared.profiles)
    return Sheet([Panel(draw, f"{suite} suite")]).figure()


def _populations(
    run: Run, among: list[tuple[str, int]] | None = None
) -> tuple[list[tuple[Run, str]], str]:
    """Those that are drawn, each with a title where there are several; and what is left out."""
    known = list(run.populations) if among is None else among
    shown = first_populations(known, _MOST_POPULATIONS)
    several = len(run.populations) > 1
    titled = [(run.of(arm, seed), f"{arm}, seed {seed}" if several else "") for arm, seed in shown]
    left_out = len(shown) < len(known)
    return titled, f"{len(shown)} of {len(known)} populations" if left_out else ""


def _bred(run: Run) -> list[tuple[str, int]]:
    """Populations of several members; all, if there are none."""
    sizes = run.distributions.groupby(["arm", "seed"])["member"].nunique()
    bred = [each for each in run.populations if sizes.get(each, 0) > 1]
    return bred or list(run.populations)


def _bare(draw: Callable[[Axes], Axes], ax: Axes) -> Axes:
    """Drawn without a legend, since the sheet has one."""
    legend = draw(ax).get_legend()
    if legend is not None:
        legend.remove()
    return ax


def _arm_keys(run: Run) -> list[Artist]:
    return legends.arm_keys({arm: arm for arm in run.space}, run.space)


def _member_keys(run: Run) -> list[Artist]:
    """None of a crowd."""
    members = sorted(set(run.distributions["member"]))
    return legends.member_keys(members) if len(members) <= marks.CROWD else []


def _keys(run: Run) -> list[Artist]:
    return legends.keys(sorted(set(run.distributions["member"])))


def _columns(panels: list[Panel], rows: int) -> int:
    """A row for each of ``rows``, or the usual three columns if these would be too many."""
    needed = len(panels) // max(rows, 1)
    return needed if 2 <= needed <= _MOST_COLUMNS else 3


def _limits(values: pd.Series[float]) -> tuple[float, float] | None:
    """The lowest and the highest, if these are two."""
    low, high = float(values.min()), float(values.max())
    return (low, high) if low < high else None


_PICTURES: Mapping[str, Callable[[Run], Figure]] = {
    "overview": overview,
    "coverage": _coverage,
    "generalisation_map": _maps,
    "hyperparameters": _schedules,
    "learning_curves": _curves,
    "level_heat_map": _heat_maps,
    "lineage_tree": _trees,
    "performance_profiles": _profiles,
    "ribbon": _ribbons,
    "scores": _scores,
    "time_spent": _time,
}

NAMES = tuple(_PICTURES)
"""All pictures of a run."""
