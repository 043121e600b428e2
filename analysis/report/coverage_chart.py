"""How much of the env space the members train on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.coverage import together
from analysis.report.cast import Cast
from analysis.report.charts import SHORT, Chart, axis, layout, line, look, plain, said
from analysis.report.held import grid, held
from orchestrator.knobs import Knob
from orchestrator.pictures import percent

__all__ = ["coverage"]

_COLUMNS = 100


def coverage(who: Cast) -> Chart | None:
    """What share of each knob's legal range is trained on, by all members together and the best."""
    (arm, _), *_ = who.run.populations
    knobs = who.run.space[arm].knobs
    drawn = who.run.distributions
    if drawn.empty:
        return None
    times = grid(who.end, min(who.points, _COLUMNS))
    traces, rows = [], []
    for index, (name, knob) in enumerate(knobs.items()):
        own = drawn[drawn["knob"] == name]
        for of, shares in _shares(who, own, knob, times):
            everyone = of == who.everyone
            traces.append(
                line(
                    look(index),
                    times,
                    plain(shares),
                    line={"dash": "solid" if everyone else "dot", "shape": "hv"},
                    name=said(name, SHORT) if everyone else f"{said(name, SHORT)}, {of}",
                    hovertemplate="%{x}: %{y:.0%}<extra>%{fullData.name}</extra>",
                )
            )
            rows.append(
                {
                    "knob": name,
                    "of": of,
                    "at first": float(shares[0]),
                    "in the end": float(shares[-1]),
                }
            )
    table = pd.DataFrame(rows, columns=["knob", "of", "at first", "in the end"])
    wholes = table[table["of"] == who.everyone]
    least = wholes.sort_values("in the end", kind="stable").iloc[0]
    caption = (
        f"{who.everyone} {'trains' if len(who.until) == 1 else 'train'} on "
        f"{percent(wholes['in the end'].mean())} of the legal ranges in the end "
        f"({percent(wholes['at first'].mean())} at first), "
        f"least of {least['knob']} ({percent(least['in the end'])})."
    )
    figure = {
        "data": traces,
        "layout": layout(
            360,
            axis("training iteration"),
            axis("share of the legal range", range=[-0.03, 1.03], tickformat=".0%"),
        ),
    }
    return Chart("coverage", "Coverage of the env space", caption, figure, table)


def _shares(
    who: Cast, drawn: pd.DataFrame, knob: Knob, times: npt.NDArray[np.int64]
) -> Iterator[tuple[str, npt.NDArray[np.float64]]]:
    yield who.everyone, _union(drawn, knob, times)
    if who.best is not None and len(who.until) > 1:
        yield f"m{who.best[0]}", _union(drawn[drawn["member"] == who.best[0]], knob, times)


def _union(
    drawn: pd.DataFrame, knob: Knob, times: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """At each time, the share of the knob's legal values that the members cover together."""

    def by_member(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return held(drawn.assign(value=values), "value", times).to_numpy(dtype=float).T

    return together(knob, drawn, by_member)
