"""How the members' env distributions went: a ribbon for each knob."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.report.cast import Cast
from analysis.report.charts import (
    GREY,
    SCALE,
    SHORT,
    Chart,
    axis,
    category_axis,
    colour_bar,
    faint,
    layout,
    line,
    log_axis,
    look,
    plain,
    said,
    worded,
)
from analysis.report.held import grid, held, steps
from orchestrator.knobs import Choice, Knob, Numeric, ranged
from orchestrator.pictures import copied, percent, span

__all__ = ["ribbon"]

_MARGIN = 0.06
_COLUMNS = 100
_TENTHS = (0.1, 0.9)
_MOST_MARKS = 80


def ribbon(who: Cast, name: str, knob: Knob, chart_id: str) -> Chart | None:
    """How each member's distribution of a knob evolves, within the knob's legal range.

    A number is a band between the ends that it is drawn from. A choice or a simplex has a row for
    each value or term, the brighter the more weight.
    """
    drawn = who.run.distributions
    drawn = drawn[drawn["knob"] == name]
    if drawn.empty:
        return None
    numbers = ranged(knob)
    if numbers is not None:
        figure = {"data": _bands(who, drawn, numbers), "layout": _legal(name, numbers)}
        caption, table = _band_caption(who, drawn, numbers), _band_table(who, drawn)
    else:
        figure, table = _heat(who, drawn, knob)
        caption = _heat_caption(who, table)
    return Chart(chart_id, f"Env distribution of {name}", caption, figure, table)


def _bands(who: Cast, drawn: pd.DataFrame, knob: Numeric) -> list[dict[str, Any]]:
    traces = _crowd(who, drawn)
    # Many bands on top of each other would hide all but the last.
    opacity = min(0.13, 0.6 / max(len(who.looks), 1))
    for member, style in who.looks.items():
        own = drawn[drawn["member"] == member]
        if own.empty:
            continue
        times, rows = steps(own, who.until[member], who.points)
        low, high = plain(rows["low"]), plain(rows["high"])
        shape = {"shape": "hv", "width": 1.5}
        group = {"legendgroup": f"m{member}", "name": f"m{member}", "customdata": low}
        traces.append(
            line(style, times, low, line=shape, showlegend=False, hoverinfo="skip", **group)
        )
        traces.append(
            line(
                style,
                times,
                high,
                line=shape,
                fill="tonexty",
                fillcolor=faint(style.colour, opacity),
                hovertemplate=f"m{member} from %{{x}} on: %{{customdata}} to %{{y}}<extra></extra>",
                **group,
            )
        )
    return traces + _copied(who, drawn, knob)


def _crowd(who: Cast, drawn: pd.DataFrame) -> list[dict[str, Any]]:
    """Of a population that is too large to be drawn one by one, where most of its ends lie."""
    if not who.background:
        return []
    times = grid(who.end, min(who.points, _COLUMNS))
    lowest = held(drawn, "low", times).quantile(_TENTHS[0], axis=1)
    highest = held(drawn, "high", times).quantile(_TENTHS[1], axis=1)
    style = {"width": 0, "shape": "hv"}
    name = "80 % of all members' ends"
    crowd = {"legendgroup": "crowd", "name": name, "hoverinfo": "skip"}
    return [
        line(look(0), times, plain(lowest), line=style, showlegend=False, **crowd),
        line(
            look(0),
            times,
            plain(highest),
            line=style,
            fill="tonexty",
            fillcolor=faint(GREY, 0.3),
            **crowd,
        ),
    ]


def _copied(who: Cast, drawn: pd.DataFrame, knob: Numeric) -> list[dict[str, Any]]:
    """A mark in the middle of each range that was taken over, unless they would hide the ranges."""
    lineage = who.run.lineage
    lineage = lineage[lineage["member"].isin(list(who.looks))]
    if not 0 < len(lineage) <= _MOST_MARKS:
        return []
    ends = drawn.drop_duplicates(["member", "iteration"], keep="last")
    found = lineage.merge(ends, on=["member", "iteration"])
    low, high = found["low"].to_numpy(), found["high"].to_numpy()
    middle = np.sqrt(low) * np.sqrt(high) if knob.scale == "log" else low / 2 + high / 2
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "x": plain(found["iteration"]),
            "y": plain(middle),
            "name": "exploit",
            "text": [
                f"m{m} {copied(m, d)}" for m, d in zip(found["member"], found["donor"], strict=True)
            ],
            "hovertemplate": "%{text} at %{x}<extra></extra>",
            "marker": {
                "symbol": "triangle-up",
                "size": 9,
                "color": [who.looks[member].colour for member in found["member"]],
            },
        }
    ]


def _legal(name: str, knob: Numeric) -> dict[str, Any]:
    """Axes on which the knob's legal range stands out."""
    onto = np.log10 if knob.scale == "log" else float
    low, high = float(onto(knob.low)), float(onto(knob.high))
    margin = _MARGIN * (high - low) or 1.0
    below, above = low - margin, high + margin
    outside = [(below, low), (high, above)]
    back = np.power(10.0, outside) if knob.scale == "log" else np.asarray(outside)
    shapes = [
        {
            "type": "rect",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": float(begin),
            "y1": float(end),
            "fillcolor": faint(GREY, 0.25),
            "line": {"width": 0},
            "layer": "below",
        }
        for begin, end in back
    ]
    if knob.scale == "log":
        y = log_axis(name, knob.low, knob.high, range=[below, above])
    else:
        y = axis(name, range=[below, above])
    return layout(320, axis("training iteration"), y, shapes=shapes)


def _band_caption(who: Cast, drawn: pd.DataFrame, knob: Numeric) -> str:
    first, last = drawn.drop_duplicates("member"), drawn.drop_duplicates("member", keep="last")
    legal = span(knob.low, knob.high)
    begun = span(float(first["low"].min()), float(first["high"].max()))
    ended = span(float(last["low"].min()), float(last["high"].max()))
    changed = f"went from {begun} to {ended}" if begun != ended else f"began and ended at {begun}"
    together = f"{who.everyone} {changed}, of the legal {legal} (what is grey is not legal)"
    if who.best is None or len(who.until) == 1:
        return f"{together}."
    best = last[last["member"] == who.best[0]]
    ends = span(float(best["low"].iloc[0]), float(best["high"].iloc[0]))
    return f"{together}; m{who.best[0]} ends at {ends}."


def _band_table(who: Cast, drawn: pd.DataFrame) -> pd.DataFrame:
    first = drawn.drop_duplicates("member").set_index("member")
    last = drawn.drop_duplicates("member", keep="last").set_index("member")
    changes = drawn.groupby("member").size() - 1
    return pd.DataFrame(
        {
            "member": [f"m{member}" for member in last.index],
            "low at first": first["low"].to_list(),
            "high at first": first["high"].to_list(),
            "low in the end": last["low"].to_list(),
            "high in the end": last["high"].to_list(),
            "changes": changes.to_list(),
        }
    )


def _heat(who: Cast, drawn: pd.DataFrame, knob: Knob) -> tuple[dict[str, Any], pd.DataFrame]:
    """Weights over time: of all members on average, and of the best one's ancestry."""
    names = list(drawn["weights"].iloc[0])
    shown = [worded(json.loads(name)) if isinstance(knob, Choice) else name for name in names]
    times = grid(who.end, min(who.points, _COLUMNS))
    blocks = [(who.everyone, _mean_weights(drawn, names, times))]
    if who.ancestry is not None and who.best is not None and len(who.until) > 1:
        along = who.ancestry.distributions
        along = along[along["knob"] == drawn["knob"].iloc[0]]
        blocks.append((f"m{who.best[0]}’s lineage", _held_along(along, names, times)))
    if len(blocks) == 1:
        rows = [said(name, SHORT) for name in shown]
    else:
        whose = ("all", f"m{who.best[0] if who.best else ''}’s lineage")
        rows = [f"{said(name, SHORT)} · {each}" for name in shown for each in whose]
    weights = [values[at] for at in range(len(names)) for _, values in blocks]
    figure = {
        "data": [
            {
                "type": "heatmap",
                "x": plain(times),
                "z": [plain(values) for values in weights],
                "zmin": 0,
                "zmax": 1,
                "colorscale": SCALE,
                "ygap": 1,
                "colorbar": colour_bar("weight"),
                "hovertemplate": "iteration %{x}: %{z}<extra></extra>",
            }
        ],
        "layout": layout(
            120 + 26 * len(rows),
            axis("training iteration"),
            category_axis("", rows, autorange="reversed"),
        ),
    }
    table = pd.DataFrame(
        {
            "value": [name for name in shown for _ in blocks],
            "of": [block for _ in names for block, _ in blocks],
            "weight at first": [float(values[0]) for values in weights],
            "weight in the end": [float(values[-1]) for values in weights],
        }
    )
    return figure, table


def _mean_weights(
    drawn: pd.DataFrame, names: list[str], times: npt.NDArray[np.int64]
) -> list[npt.NDArray[np.float64]]:
    means = []
    for name in names:
        one = drawn.assign(weight=[weights[name] for weights in drawn["weights"]])
        means.append(held(one, "weight", times).mean(axis=1).to_numpy())
    return means


def _held_along(
    along: pd.DataFrame, names: list[str], times: npt.NDArray[np.int64]
) -> list[npt.NDArray[np.float64]]:
    return _mean_weights(along.assign(member=0), names, times)


def _heat_caption(who: Cast, table: pd.DataFrame) -> str:
    together = table[table["of"] == who.everyone].sort_values("weight in the end", ascending=False)
    top = together.iloc[0]
    return (
        f"In the end {top['value']} has most weight, "
        f"{percent(top['weight in the end'])} on average, "
        f"after {percent(top['weight at first'])} at first."
    )
