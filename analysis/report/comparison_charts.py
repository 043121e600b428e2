"""The charts of a comparison of arms; an arm looks the same in all of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from analysis.comparison.values import ArmResult, Comparison
from analysis.report.charts import (
    SCALE,
    Chart,
    Look,
    axis,
    category_axis,
    colour_bar,
    faint,
    joined,
    layout,
    line,
    look,
    plain,
    said,
    thinned,
)
from analysis.report.estimates import NAME, points, words
from analysis.report.pair_charts import differences, improvement
from orchestrator.pictures import percent, short

__all__ = ["of_comparison"]

_POINTS = 300
_SEED_POINTS = 6000
_ROW = 34
_BAND = 0.16
_MEASURES = (("mean", "mean"), ("iqm", "interquartile mean"), ("cvar", "CVaR"))


def of_comparison(comparison: Comparison) -> list[Chart]:
    """The charts of a comparison; those that it has nothing for are left out."""
    # By name, so that a look doesn't depend on who is ahead.
    names = sorted(arm.name for arm in comparison.arms)
    looks = {name: look(index) for index, name in enumerate(names)}
    return [chart for chart in _charts(comparison, looks) if chart is not None]


def _charts(comparison: Comparison, looks: dict[str, Look]) -> Iterator[Chart | None]:
    yield intervals(comparison, looks)
    yield learning_curves(comparison, looks)
    yield differences(comparison)
    yield improvement(comparison)
    yield profiles(comparison, looks)
    yield level_heat(comparison)


def learning_curves(comparison: Comparison, looks: dict[str, Look]) -> Chart | None:
    """Each arm's score over env steps: mean over seeds with its interval, seeds thin beneath."""
    if comparison.bands.empty:
        return None
    traces: list[dict[str, Any]] = []
    curves = comparison.curves
    each = max(_SEED_POINTS // max(curves.groupby(["arm", "seed"]).ngroups, 1), 12)
    for name, style in looks.items():
        lines = [
            own.iloc[thinned(own["score"].to_numpy(), min(each, _POINTS))]
            for _, own in curves[curves["arm"] == name].groupby("seed")
        ]
        seeds = line(
            style,
            joined(plain(own["env_steps"]) for own in lines),
            joined(plain(own["score"]) for own in lines),
            line={"width": 0.8, "color": faint(style.colour, 0.4)},
            hoverinfo="skip",
            **_group(name, showlegend=False),
        )
        traces.append(seeds)
        band = comparison.bands[comparison.bands["arm"] == name]
        band = band.iloc[thinned(band["mean"].to_numpy(), _POINTS)]
        traces += _band(style, name, band["env_steps"], band["mean"], band["low"], band["high"])
    figure = {
        "data": traces,
        "layout": layout(
            460,
            axis("env steps of the whole population"),
            axis("score of its best member (select suite)"),
        ),
    }
    last = comparison.bands.groupby("arm").tail(1).sort_values("mean", ascending=False)
    ends = ", ".join(
        f"{name} at {short(score)} after {env_steps:,.0f} env steps"
        for name, score, env_steps in last[["arm", "mean", "env_steps"]].head(3).to_numpy()
    )
    caption = f"Highest at the end of their curves: {ends}. Bands are 95 % intervals over seeds."
    table = last.rename(
        columns={"mean": "last score", "low": "95 % from", "high": "95 % to"}
    ).reset_index(drop=True)
    return Chart("curves", "Learning curves", caption, figure, table)


def _band(
    style: Look, name: str, xs: pd.Series, middle: pd.Series, low: pd.Series, high: pd.Series
) -> list[dict[str, Any]]:
    """A line and its interval; where the interval is not known there is none."""
    edge = {"width": 0}
    quiet = _group(name, showlegend=False, hoverinfo="skip")
    at = plain(xs)
    return [
        line(style, at, plain(low), line=edge, **quiet),
        line(
            style,
            at,
            plain(high),
            line=edge,
            fill="tonexty",
            fillcolor=faint(style.colour, _BAND),
            **quiet,
        ),
        line(
            style,
            at,
            plain(middle),
            line={"width": 2.5},
            hovertemplate="%{x}: %{y}<extra>%{fullData.name}</extra>",
            **_group(name),
        ),
    ]


def _group(name: str, **also: Any) -> dict[str, Any]:
    shown = said(name, NAME)
    return {"name": shown, "legendgroup": said(name, 10_000), **also}


def intervals(comparison: Comparison, looks: dict[str, Look]) -> Chart:
    """Mean, IQM and CVaR of each arm on the suite, with their 95 % intervals; the best on top."""
    arms = comparison.arms
    traces = []
    width = 1 / len(_MEASURES)
    places: dict[str, Any] = {}
    for index, (measure, title) in enumerate(_MEASURES):
        suffix = "" if index == 0 else str(index + 1)
        places[f"xaxis{suffix}"] = axis(
            _titled(measure, title, comparison),
            domain=[index * width + 0.02, (index + 1) * width - 0.02],
            nticks=5,
        )
        estimates = [getattr(arm, measure) for arm in arms]
        traces.append(
            points(
                estimates,
                [looks[arm.name] for arm in arms],
                [said(arm.name, NAME) for arm in arms],
                xaxis=f"x{suffix}",
            )
        )
    figure = {
        "data": traces,
        "layout": layout(
            130 + _ROW * len(arms),
            places.pop("xaxis"),
            category_axis("", [said(arm.name, NAME) for arm in arms])
            | {"range": [len(arms) - 0.5, -0.5]},
            showlegend=False,
            **places,
        ),
    }
    table = pd.DataFrame(
        {
            "arm": [arm.name for arm in arms],
            "seeds": [len(arm.seeds) for arm in arms],
            **{title: [words(getattr(arm, name)) for arm in arms] for name, title in _MEASURES},
        }
    )
    return Chart(
        "intervals",
        f"Returns on the {comparison.suite} suite",
        _intervals_caption(arms),
        figure,
        table,
    )


def _titled(measure: str, title: str, comparison: Comparison) -> str:
    if measure != "cvar":
        return title
    return f"{title} (mean of the worst {percent(comparison.alpha)})"


def _intervals_caption(arms: tuple[ArmResult, ...]) -> str:
    best = arms[0]
    if len(arms) == 1:
        return f"{best.name} has an interquartile mean of {words(best.iqm)}."
    safest = max(arms, key=lambda arm: _or_least(arm.cvar.value))
    ahead = f"{best.name} has the highest interquartile mean, {words(best.iqm)}"
    if safest is best:
        return f"{ahead}, and the highest CVaR, {words(best.cvar)}."
    return f"{ahead}; the highest CVaR is that of {safest.name}, {words(safest.cvar)}."


def _or_least(value: float) -> float:
    return value if math.isfinite(value) else -math.inf


def profiles(comparison: Comparison, looks: dict[str, Look]) -> Chart | None:
    """The share of seeds × levels whose return is above a threshold, for each threshold."""
    if comparison.profiles.empty:
        return None
    traces = []
    for name, style in looks.items():
        own = comparison.profiles[comparison.profiles["arm"] == name]
        if own.empty:
            continue
        kept = own.iloc[thinned(own["share"].to_numpy(), _POINTS)]
        traces += _band(style, name, kept["threshold"], kept["share"], kept["low"], kept["high"])
    figure = {
        "data": traces,
        "layout": layout(
            420,
            axis("return"),
            axis("share of seeds × levels above it", range=[-0.02, 1.02], tickformat=".0%"),
        ),
    }
    table = _quantiles(comparison)
    medians = ", ".join(
        f"{name} {short(median)}" for name, median in table[["arm", "median"]].head(3).to_numpy()
    )
    caption = f"The higher a curve, the better. Highest medians: {medians}."
    return Chart("profiles", "Performance profiles", caption, figure, table)


def _quantiles(comparison: Comparison) -> pd.DataFrame:
    """Of each arm's returns over seeds and levels, highest median first."""
    returns = comparison.scores.groupby("arm")["return"]
    named = {"lowest tenth": 0.1, "lowest quarter": 0.25, "median": 0.5, "highest quarter": 0.75}
    table = pd.DataFrame({title: returns.quantile(share) for title, share in named.items()})
    return table.sort_values("median", ascending=False, kind="stable").reset_index()


def level_heat(comparison: Comparison) -> Chart | None:
    """Each arm's return on each level of the suite, mean over seeds."""
    if comparison.scores.empty:
        return None
    wide = comparison.scores.pivot_table(
        index="arm", columns="level", values="return", aggfunc="mean"
    )
    names = [arm.name for arm in comparison.arms if arm.name in wide.index]
    wide = wide.loc[names]
    figure = {
        "data": [
            {
                "type": "heatmap",
                "x": wide.columns.to_list(),
                "z": [plain(row) for row in wide.to_numpy()],
                "colorscale": SCALE,
                "ygap": 1,
                "colorbar": colour_bar("return"),
                "hovertemplate": "level %{x}: %{z}<extra></extra>",
            }
        ],
        "layout": layout(
            150 + _ROW * len(names),
            axis(f"level of the {comparison.suite} suite"),
            category_axis("", [said(name, NAME) for name in names])
            | {"range": [len(names) - 0.5, -0.5]},
        ),
    }
    gaps = wide.max() - wide.min()
    means = wide.mean()
    caption = f"Level {means.idxmin()} is hardest ({short(float(means.min()))} on average)"
    if len(names) > 1:
        apart = gaps.idxmax()
        best, worst = wide[apart].idxmax(), wide[apart].idxmin()
        caption += (
            f"; arms are furthest apart on level {apart}: {best} "
            f"{short(float(wide[apart].max()))}, {worst} {short(float(wide[apart].min()))}"
        )
    table = wide.T.rename_axis(columns=None).reset_index()
    return Chart("levels", "Returns level by level", f"{caption}.", figure, table)
