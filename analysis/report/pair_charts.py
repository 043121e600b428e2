"""Arms against each other, pair by pair."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.comparison.values import Comparison, Estimate, Pair
from analysis.report.charts import (
    GREY,
    Chart,
    Look,
    axis,
    category_axis,
    colour_bar,
    layout,
    look,
    plain,
    said,
)
from analysis.report.estimates import NAME, points, words
from orchestrator.pictures import counted, short

__all__ = ["differences", "improvement"]

_MOST_PAIRS = 45
_LOSES_TO_WINS = [[0, "#f4a261"], [0.5, "#f4f4f4"], [1, "#74add8"]]
"""Light all over, so that a number can be read on every cell."""


def differences(comparison: Comparison) -> Chart | None:
    """By how much one arm's IQM is above the other's; blue where the interval excludes zero."""
    pairs = comparison.pairs
    if not pairs:
        return None
    shown = pairs[:_MOST_PAIRS]
    sure = [pair.difference.excludes_zero for pair in shown]
    styles = [Look(look(0).colour if each else GREY, "circle", "solid") for each in sure]
    names = [f"{said(pair.arm, NAME)} − {said(pair.baseline, NAME)}" for pair in shown]
    figure = {
        "data": [points([pair.difference for pair in shown], styles, names)],
        "layout": layout(
            130 + 26 * len(shown),
            axis("difference of interquartile means"),
            category_axis("", names) | {"range": [len(shown) - 0.5, -0.5]},
            shapes=[
                {
                    "type": "line",
                    "yref": "paper",
                    "x0": 0,
                    "x1": 0,
                    "y0": 0,
                    "y1": 1,
                    "line": {"color": GREY, "width": 1, "dash": "dash"},
                }
            ],
        ),
    }
    count = sum(pair.difference.excludes_zero for pair in pairs)
    caption = (
        f"{count} of {counted(len(pairs), 'interval')} "
        f"{'excludes' if count == 1 else 'exclude'} zero (blue)."
    )
    if len(pairs) > len(shown):
        caption += f" The first {len(shown)} are drawn; the table has all."
    return Chart("differences", "Pairwise differences", caption, figure, _pairs_table(pairs))


def _pairs_table(pairs: tuple[Pair, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "arm": [pair.arm for pair in pairs],
            "less": [pair.baseline for pair in pairs],
            "difference": [words(pair.difference) for pair in pairs],
            "Welch p (Holm)": [pair.welch_holm for pair in pairs],
            "Mann-Whitney p (Holm)": [pair.mann_whitney_holm for pair in pairs],
        }
    )


def improvement(comparison: Comparison) -> Chart | None:
    """How likely a run of the row's arm beats one of the column's on a level drawn at random."""
    if not comparison.pairs:
        return None
    names = [arm.name for arm in comparison.arms]
    at = {name: index for index, name in enumerate(names)}
    chance = np.full((len(names), len(names)), np.nan)
    texts = [["" for _ in names] for _ in names]
    for pair in comparison.pairs:
        row, column = at[pair.arm], at[pair.baseline]
        there = pair.improvement
        back = Estimate(1 - there.value, 1 - there.high, 1 - there.low)
        for i, j, estimate in ((row, column, there), (column, row, back)):
            chance[i, j] = estimate.value
            texts[i][j] = words(estimate)
    shown = [said(name, NAME) for name in names]
    figure = {
        "data": [
            {
                "type": "heatmap",
                "z": [plain(row) for row in chance],
                "text": [[short(value) if value == value else "" for value in r] for r in chance],
                "customdata": texts,
                "texttemplate": "%{text}",
                "textfont": {"color": "#111111"},
                "zmin": 0,
                "zmax": 1,
                "colorscale": _LOSES_TO_WINS,
                "xgap": 1,
                "ygap": 1,
                "colorbar": colour_bar("probability"),
                "hovertemplate": "%{customdata}<extra></extra>",
                "hoverongaps": False,
            }
        ],
        "layout": layout(
            200 + 40 * len(names),
            category_axis("against", shown),
            category_axis("", shown) | {"range": [len(names) - 0.5, -0.5]},
        ),
    }
    surest = max(comparison.pairs, key=lambda pair: abs(pair.improvement.value - 0.5))
    caption = (
        f"Clearest: a run of {surest.arm} is better than one of {surest.baseline} on a level "
        f"drawn at random with probability {words(surest.improvement)}."
    )
    table = pd.DataFrame(
        {
            "arm": [pair.arm for pair in comparison.pairs],
            "against": [pair.baseline for pair in comparison.pairs],
            "probability of improvement": [words(pair.improvement) for pair in comparison.pairs],
        }
    )
    return Chart("improvement", "Probability of improvement", caption, figure, table)
