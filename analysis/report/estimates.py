"""Values with their intervals: as points of a figure, and in words."""

from __future__ import annotations

import math
from typing import Any

from analysis.comparison.values import Estimate
from analysis.report.charts import GREY, Look, plain
from orchestrator.pictures import short

__all__ = ["NAME", "points", "words"]

NAME = 32
"""So much of an arm's name is written in a figure."""


def points(
    estimates: list[Estimate], styles: list[Look], names: list[str], **also: Any
) -> dict[str, Any]:
    """Points with intervals, one a row; a row's number is its y."""
    above, below = [], []
    for each in estimates:
        finite = math.isfinite(each.low) and math.isfinite(each.high)
        above.append(each.high - each.value if finite else 0)
        below.append(each.value - each.low if finite else 0)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": plain(each.value for each in estimates),
        "y": list(range(len(estimates))),
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": plain(above),
            "arrayminus": plain(below),
            "thickness": 2,
            "width": 5,
            "color": GREY,
        },
        "marker": {
            "size": 11,
            "color": [style.colour for style in styles],
            "symbol": [style.symbol for style in styles],
        },
        "text": [f"{name}: {words(each)}" for name, each in zip(names, estimates, strict=True)],
        "hovertemplate": "%{text}<extra></extra>",
        **also,
    }


def words(estimate: Estimate) -> str:
    """The value, and its interval if it has one."""
    if not (math.isfinite(estimate.low) and math.isfinite(estimate.high)):
        return short(estimate.value)
    return f"{short(estimate.value)} [{short(estimate.low)}, {short(estimate.high)}]"
