"""The page: what is known of some runs, put into the templates."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from analysis.comparison.comparing import compare
from analysis.comparison.values import Comparison, NotComparable
from analysis.frames import Run
from analysis.report import embedding, verdict, wording
from analysis.report.cast import Shown, cast, shown
from analysis.report.charts import Chart
from analysis.report.comparison_charts import of_comparison
from analysis.report.facts import Best, Kept, best, experiment_text, kept
from analysis.report.members import Member, members
from analysis.report.run_charts import of_population
from analysis.report.told_lineage import told_lineage

_HERE = Path(__file__).parent
_STYLES = ("report.css", "lineage.css")
_EARLY = "theme.js"
"""Runs before anything is painted."""
_SCRIPTS = (
    "report.js",
    "charts.js",
    "lineage_parts.js",
    "lineage_picture.js",
    "lineage_panel.js",
    "lineage.js",
    "begin.js",
)


@dataclass(frozen=True, eq=False)
class RunPart:
    """What the page says of one run.

    Attributes:
        label: its folder's name, or as much of its path as tells it apart.
        populations: each as a run of its own.
        bests: of each population; None where no member has a score.
        shown: the populations that are looked at one by one.
    """

    label: str
    run: Run
    populations: Mapping[tuple[str, int], Run]
    members: tuple[Member, ...]
    bests: Mapping[tuple[str, int], Best | None]
    shown: Shown
    kept: tuple[Kept, ...]
    experiment: str

    @property
    def command(self) -> str:
        """The command line that began or resumed it, as a shell takes it."""
        if not self.run.command:
            return ""
        program, *arguments = self.run.command
        name = "envolve" if program.endswith("cli.py") else Path(program).name
        return shlex.join([name, *arguments])

    @property
    def quoted(self) -> str:
        """Its folder's name, as a shell takes it."""
        return shlex.quote(self.run.path.name)


@dataclass(frozen=True, eq=False)
class PopulationPart:
    """What the page says of one population.

    Attributes:
        id: unique within the page.
        data: its charts and its lineage, for the scripts.
    """

    id: str
    label: str
    best: Best | None
    data: Markup


def render(runs: Sequence[Run]) -> str:
    """The page about ``runs``.

    Raises:
        ValueError: without any.
    """
    if not runs:
        raise ValueError("`runs` must hold at least one run, but it is empty")
    parts = [_part(run, label) for run, label in zip(runs, labels(runs), strict=True)]
    looked_at = [(part, key) for part in parts for key in part.shown.populations]
    populations = [
        _population(part, key, f"p{place}", among=len(looked_at), several=len(runs) > 1)
        for place, (part, key) in enumerate(looked_at)
    ]
    comparison, sentence = _compared(parts)
    scripts = [_static(name) for name in _SCRIPTS]
    compared = of_comparison(comparison) if comparison else []
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            title=" and ".join(dict.fromkeys(run.name for run in runs)),
            sentence=sentence,
            parts=parts,
            populations=populations,
            first=max(populations, key=_score, default=None),
            comparison=comparison,
            comparison_data=embedding.data({"charts": [_chart(chart, "c") for chart in compared]}),
            policy=embedding.policy([_static(_EARLY), get_plotlyjs(), *scripts]),
            early=embedding.script(_static(_EARLY)),
            plotly=embedding.script(get_plotlyjs()),
            scripts=[embedding.script(text) for text in scripts],
            styles=[embedding.style(_static(name)) for name in _STYLES],
        )
    )


def labels(runs: Sequence[Run]) -> list[str]:
    """A name for each run: its folder's, with the folder above where that tells them apart."""
    names = Counter(run.path.name for run in runs)
    return [
        run.path.name if names[run.path.name] == 1 else "/".join(run.path.parts[-2:])
        for run in runs
    ]


def _compared(parts: Sequence[RunPart]) -> tuple[Comparison | None, verdict.Sentence]:
    runs = [part.run for part in parts]
    comparison: Comparison | None = None
    reasons: tuple[str, ...] = ()
    try:
        comparison = compare(runs)
    except NotComparable as refusal:
        reasons = refusal.reasons
    arms = sum(len(run.space) for run in runs) if comparison is None else len(comparison.arms)
    if arms <= 1:
        bests = [best for part in parts for best in part.bests.values() if best is not None]
        count = sum(len(part.members) for part in parts)
        return comparison, verdict.of_one_arm(runs, bests, count, comparison)
    if comparison is None:
        return None, verdict.refused(runs, reasons)
    return comparison, verdict.of_arms(comparison)


def _part(run: Run, label: str) -> RunPart:
    populations = {key: run.of(*key) for key in run.populations}
    return RunPart(
        label=label,
        run=run,
        populations=populations,
        members=tuple(member for own in populations.values() for member in members(own)),
        bests={key: best(own) for key, own in populations.items()},
        shown=shown(run),
        kept=tuple(kept(run)),
        experiment=experiment_text(run),
    )


def _population(
    part: RunPart, key: tuple[str, int], name: str, *, among: int, several: bool
) -> PopulationPart:
    who = cast(part.populations[key], among)
    label = "{}, seed {}".format(*key)
    return PopulationPart(
        id=name,
        label=f"{part.label}: {label}" if several else label,
        best=part.bests[key],
        data=embedding.data(
            {
                "charts": [_chart(chart, name) for chart in of_population(who)],
                "lineage": told_lineage(who),
            }
        ),
    )


def _score(population: PopulationPart) -> float:
    """By which the population is chosen that is shown at first."""
    best = population.best
    return -math.inf if best is None or best.score is None else best.score


def _chart(chart: Chart, prefix: str) -> Mapping[str, Any]:
    return {
        "id": f"{prefix}-{chart.id}",
        "title": chart.title,
        "caption": chart.caption,
        "figure": chart.figure,
        "controls": chart.controls,
        "table": {
            "columns": list(chart.table),
            "rows": [[_finite(cell) for cell in row] for row in chart.table.to_numpy(object)],
        },
    }


def _finite(cell: object) -> object:
    """A cell of a frame as JSON has it: None for what is no number."""
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell


@cache
def _static(name: str) -> str:
    return (_HERE / "static" / name).read_text(encoding="utf-8")


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("number", "interval", "p_value", "counted", "moment", "lasted", "ranges"):
        environment.filters[name] = getattr(wording, name)
    return environment
