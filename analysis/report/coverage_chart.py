"""How much of the env space the members train on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.report.cast import Cast
from analysis.report.charts import SHORT, Chart, axis, layout, line, look, plain, said
from analysis.report.held import grid, held
from orchestrator.knobs import Knob, Numeric, ranged
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
            together = of == who.everyone
            traces.append(
                line(
                    look(index),
                    times,
                    plain(shares),
                    line={"dash": "solid" if together else "dot", "shape": "hv"},
                    name=said(name, SHORT) if together else f"{said(name, SHORT)}, {of}",
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
    """At each time, the share of the knob's legal values that some member draws.

    Of a choice, the values that have any weight; of a simplex, the widest spread.
    """
    numbers = ranged(knob)
    if numbers is not None:
        low, high = (held(drawn, column, times).to_numpy(dtype=float) for column in ("low", "high"))
        return np.array([_covered(numbers, *ends) for ends in zip(low, high, strict=True)])
    if drawn["spread"].notna().any():
        return np.asarray(held(drawn, "spread", times).max(axis=1), dtype=float)
    named: list[Mapping[str, float]] = drawn["weights"].to_list()
    live = [
        held(drawn.assign(weight=[each[name] for each in named]), "weight", times).max(axis=1) > 0
        for name in named[0]
    ]
    return np.asarray(np.mean(live, axis=0), dtype=np.float64)


def _covered(knob: Numeric, low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]) -> float:
    """The share of the legal range that lies in any of the ranges, on the knob's scale."""
    known = np.isfinite(low) & np.isfinite(high)
    onto = np.log if knob.scale == "log" else np.asarray
    whole = float(onto(knob.high) - onto(knob.low))
    if whole == 0:
        return 1.0
    begins, ends = np.asarray(onto(low[known])), np.asarray(onto(high[known]))
    order = np.argsort(begins)
    reached = np.maximum.accumulate(ends[order])
    before = np.concatenate(([-np.inf], reached[:-1]))
    return float(np.clip(ends[order] - np.maximum(begins[order], before), 0, None).sum() / whole)
