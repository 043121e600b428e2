"""How the members' hyperparameters went."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.report.cast import Cast
from analysis.report.charts import (
    GREY,
    SHORT,
    Chart,
    axis,
    category_axis,
    faint,
    joined,
    layout,
    line,
    log_axis,
    look,
    plain,
    said,
    worded,
)
from analysis.report.held import steps
from orchestrator.pictures import counted, label, short, span

__all__ = ["hyperparameter"]

_LOG_RATIO = 10.0
"""Positive values that are further apart than this are drawn on a log scale."""

_LEAST_OTHERS = 4


def hyperparameter(who: Cast, name: str, chart_id: str) -> Chart:
    """The schedule of one searched key; that of the best member's weights is underlaid."""
    rows = who.run.hyperparameters
    rows = rows[rows["name"] == name]
    if rows["number"].notna().all():
        placed, ys = rows.assign(place=rows["number"]), _number_axis(name, rows["number"])
    else:
        texts = rows["value"].map(worded)
        names = list(dict.fromkeys(sorted(texts)))
        placed = rows.assign(place=texts.map({each: at for at, each in enumerate(names)}))
        ys = category_axis(name, [said(each, SHORT) for each in names])
    traces = []
    if who.background:
        each = max(who.background_points // len(who.background), _LEAST_OTHERS)
        lines = [
            _corners(placed[placed["member"] == member], who.until[member], each)
            for member in who.background
        ]
        traces.append(
            line(
                look(0),
                joined(xs for xs, _ in lines),
                joined(values for _, values in lines),
                line={"color": faint(GREY, 0.35), "width": 1, "shape": "hv"},
                name=f"{len(who.background)} others",
                hoverinfo="skip",
            )
        )
    traces += _ancestral(who, name, placed)
    for member, style in who.looks.items():
        own = placed[placed["member"] == member]
        if own.empty:
            continue
        xs, values = _corners(own, who.until[member], who.points)
        traces.append(
            line(
                style,
                xs,
                values,
                line={"shape": "hv"},
                name=f"m{member}",
                hovertemplate=f"m{member} from %{{x}} on: %{{y}}<extra></extra>",
            )
        )
    figure = {"data": traces, "layout": layout(320, axis("training iteration"), ys)}
    return Chart(chart_id, f"Hyperparameter {name}", _caption(who, rows), figure, _table(who, rows))


def _number_axis(name: str, numbers: pd.Series) -> dict[str, object]:
    low, high = float(numbers.min()), float(numbers.max())
    return log_axis(name, low, high) if 0 < _LOG_RATIO * low < high else axis(name)


def _corners(own: pd.DataFrame, until: int, most: int) -> tuple[list[int], list[float | None]]:
    if own.empty:
        return [], []
    times, rows = steps(own, until, most)
    return times, plain(rows["place"])


def _ancestral(who: Cast, name: str, placed: pd.DataFrame) -> list[dict[str, object]]:
    if who.ancestry is None or who.best is None:
        return []
    places = dict(zip(placed["value"].map(worded), placed["place"], strict=True))
    along = who.ancestry.hyperparameters
    along = along[along["name"] == name]
    if along.empty:
        return []
    along = along.assign(place=along["value"].map(worded).map(places))
    xs, values = _corners(along, who.best[1], who.points)
    return [
        line(
            look(0),
            xs,
            values,
            line={"color": faint(GREY, 0.35), "width": 12, "shape": "hv"},
            name=f"lineage of m{who.best[0]}",
            hoverinfo="skip",
        )
    ]


def _newest(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop_duplicates("member", keep="last")


def _caption(who: Cast, rows: pd.DataFrame) -> str:
    first = rows.drop_duplicates("member")
    often = counted(len(rows) - len(first), "change")
    if rows["number"].notna().all():
        begun, ended = (
            span(float(np.min(each)), float(np.max(each)))
            for each in (first["number"], _newest(rows)["number"])
        )
        ways = f"members began at {begun} and end at {ended}, after {often}"
    else:
        counts = _newest(rows)["value"].map(label).value_counts()
        ways = f"{often}; in the end {', '.join(f'{n} × {v}' for v, n in counts.items())}"
    if who.ancestry is None or who.best is None:
        return f"{ways[0].upper()}{ways[1:]}."
    along = who.ancestry.hyperparameters
    schedule = [
        short(number) if np.isfinite(number) else label(value)
        for number, value in along.loc[
            along["name"] == rows["name"].iloc[0], ["number", "value"]
        ].itertuples(index=False)
    ]
    return (
        f"{ways[0].upper()}{ways[1:]}; the best member's weights were trained at "
        f"{' → '.join(schedule[-6:]) or 'none'}."
    )


def _table(who: Cast, rows: pd.DataFrame) -> pd.DataFrame:
    newest = _newest(rows).set_index("member")["value"]
    first = rows.drop_duplicates("member").set_index("member")["value"]
    return pd.DataFrame(
        {
            "member": [f"m{member}" for member in newest.index],
            "at first": [first[member] for member in newest.index],
            "in the end": newest.to_list(),
            "changes": [int((rows["member"] == member).sum()) - 1 for member in newest.index],
        }
    )
