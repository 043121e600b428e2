"""How members do on the levels of a suite: level by level, and over two knobs."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from analysis.members import last_played
from analysis.report.cast import Cast
from analysis.report.charts import (
    GREY,
    SCALE,
    SHORT,
    Chart,
    Control,
    Option,
    axis,
    category_axis,
    colour_bar,
    layout,
    log_axis,
    plain,
    said,
    worded,
)
from orchestrator.frozen import text, thaw
from orchestrator.knobs import Choice, Simplex, ranged
from orchestrator.pictures import label, short
from orchestrator.suites import SELECT, TEST

__all__ = ["generalisation", "level_heat"]

_MOST_ROWS = 200
_FEWEST_ROWS = 8
_OF_AN_AXIS = ("type", "tickmode", "tickvals", "ticktext", "range", "autorange")


def level_heat(who: Cast) -> Chart | None:
    """Every member's return on each level of the select suite, at its newest boundary."""
    played = who.run.scores[who.run.scores["suite"] == SELECT]
    newest = last_played(played)
    wide = newest.pivot(index="member", columns="level", values="return")
    if not wide.notna().any(axis=None):
        return None
    order = newest.drop_duplicates("member").set_index("member")["score"]
    wide = wide.loc[order.sort_values(ascending=False, na_position="last").index]
    left_out = max(len(wide) - max(_MOST_ROWS * who.points // 300, _FEWEST_ROWS), 0)
    wide = wide.head(len(wide) - left_out)
    levels = [int(level) for level in wide.columns]
    configs = _configs(who, SELECT)
    means = dict(zip(levels, wide.mean().to_list(), strict=True))
    figure = {
        "data": [_returns(wide, [_named(level, configs) for level in levels])],
        "layout": layout(
            min(160 + 26 * len(wide), 760),
            category_axis("level of the select suite", [str(level) for level in levels])
            | {"type": "category"},
            axis("member, best first", type="category", autorange="reversed"),
        ),
    }
    table = pd.DataFrame(
        {
            "level": levels,
            "config": [configs.get(level, "") for level in levels],
            f"return of m{wide.index[0]}": wide.iloc[0].to_list(),
            "mean return": list(means.values()),
            "lowest": wide.min().to_list(),
            "highest": wide.max().to_list(),
        }
    )
    caption = _extremes(means, configs)
    if left_out:
        caption += f" The {left_out} members with the lowest scores are left out."
    return Chart("levels", "Returns level by level", caption, figure, table)


def _returns(wide: pd.DataFrame, levels: list[str]) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "x": levels,
        "y": [f"m{member}" for member in wide.index],
        "z": [plain(row) for row in wide.to_numpy()],
        "colorscale": SCALE,
        "colorbar": colour_bar("return"),
        "hovertemplate": "%{y}: %{z}<br>%{x}<extra></extra>",
    }


def _extremes(returns: dict[int, float], configs: dict[int, str]) -> str:
    """Which level is hardest and which is easiest."""
    known = [level for level in returns if math.isfinite(returns[level])]
    hard, easy = min(known, key=returns.__getitem__), max(known, key=returns.__getitem__)
    if returns[hard] == returns[easy]:
        return f"Every level brings {short(returns[hard])}."
    lowest, highest = (
        f"level {level}{_in_words(level, configs)}: {short(returns[level])}"
        for level in (hard, easy)
    )
    return f"Hardest is {lowest}; easiest is {highest}."


def _configs(who: Cast, suite: str) -> dict[int, str]:
    """Of each level its knobs, in short."""
    levels = who.run.levels
    levels = levels[levels["suite"] == suite]
    shown = [
        short(number) if math.isfinite(number) else label(value)
        for value, number in zip(levels["value"], levels["number"], strict=True)
    ]
    found: dict[int, list[str]] = {}
    for level, knob, value in zip(levels["level"], levels["knob"], shown, strict=True):
        found.setdefault(level, []).append(f"{knob} {value}")
    return {level: ", ".join(each) for level, each in found.items()}


def _named(level: int, configs: dict[int, str]) -> str:
    config = configs.get(level)
    return f"level {level}" if config is None else f"level {level}: {said(config, 160)}"


def _in_words(level: int, configs: dict[int, str]) -> str:
    return f" ({configs[level]})" if level in configs else ""


def generalisation(who: Cast) -> Chart | None:
    """Returns over two knobs that the reader chooses; a point is a level.

    Of the test suite, as its best checkpoint played it; before that of the select suite, as the
    member that is ahead played it last.
    """
    played = _played(who)
    if played is None:
        return None
    by, suite, returns = played
    axes = _axes(who, suite, list(returns))
    if not axes:
        return None
    configs = _configs(who, suite)
    names = list(axes)
    first, second = names[0], names[min(1, len(names) - 1)]
    lowest, highest = min(returns.values()), max(returns.values())
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": axes[first]["values"],
        "y": axes[second]["values"],
        "text": [_named(level, configs) for level in returns],
        "hovertemplate": "return %{marker.color}<br>%{text}<extra></extra>",
        "marker": {
            "size": 14,
            "color": plain(returns.values()),
            "colorscale": SCALE,
            # A scale needs two ends, also where all returns are the same.
            "cmin": lowest - (lowest == highest),
            "cmax": highest,
            "colorbar": colour_bar("return"),
            "line": {"width": 1, "color": GREY},
        },
    }
    figure = {"data": [trace], "layout": layout(460, axes[first]["axis"], axes[second]["axis"])}
    table = pd.DataFrame(
        {
            "level": list(returns),
            **{name: found["shown"] for name, found in axes.items()},
            "return": list(returns.values()),
        }
    )
    caption = (
        f"{by} on the {suite} suite, {short(sum(returns.values()) / len(returns))} on average. "
        f"{_extremes(returns, configs)}"
    )
    return Chart(
        "map", "Where it generalises to", caption, figure, table, _controls(axes, first, second)
    )


def _controls(axes: dict[str, dict[str, Any]], first: str, second: str) -> tuple[Control, ...]:
    """Which knob is across, and which is up."""
    if len(axes) == 1:
        return ()
    return tuple(
        Control(
            title,
            tuple(_option(name, axes[name], data, place) for name in dict.fromkeys([start, *axes])),
        )
        for title, data, place, start in (
            ("Across", "x", "xaxis", first),
            ("Up", "y", "yaxis", second),
        )
    )


def _played(who: Cast) -> tuple[str, str, dict[int, float]] | None:
    """By whom, which suite, and the return of each level."""
    rows = who.run.scores
    test = rows[(rows["suite"] == TEST) & rows["return"].notna()]
    if not test.empty:
        member = test["member"].iloc[-1]
        suite = TEST
        found = test[test["member"] == member]
    elif who.best is not None:
        member, iteration = who.best
        suite = SELECT
        found = rows[
            (rows["suite"] == SELECT)
            & (rows["member"] == member)
            & (rows["iteration"] == iteration)
            & rows["return"].notna()
        ]
    else:
        return None
    if found.empty:
        return None
    newest = found.drop_duplicates("level", keep="last")
    returns = dict(zip(newest["level"].to_list(), newest["return"].to_list(), strict=True))
    return f"m{member} at {found['iteration'].iloc[-1]}", suite, returns


def _axes(who: Cast, suite: str, levels: list[int]) -> dict[str, dict[str, Any]]:
    """What can be chosen as an axis: every number and choice, and each term of a simplex."""
    (arm, _), *_ = who.run.populations
    rows = who.run.levels
    rows = rows[rows["suite"] == suite]
    axes: dict[str, dict[str, Any]] = {}
    for name, knob in who.run.space[arm].knobs.items():
        own = rows[rows["knob"] == name].set_index("level")
        if not set(levels) <= set(own.index):
            continue
        own = own.loc[levels]
        if isinstance(knob, Choice):
            axes[name] = _choice_axis(name, knob, own["value"].to_list())
        elif isinstance(knob, Simplex):
            for term in knob.terms:
                weights = [value[term] for value in own["value"]]
                axes[f"{name}: {term}"] = _number_axis(f"{name}: {term}", weights, log=False)
        else:
            legal = ranged(knob)
            log = legal is not None and legal.scale == "log"
            axes[name] = _number_axis(name, own["number"].to_list(), log=log)
    return axes


def _number_axis(name: str, values: list[float], *, log: bool) -> dict[str, Any]:
    if log:
        found = log_axis(name, min(values), max(values), autorange=True)
    else:
        found = axis(name, type="linear", tickmode="auto", autorange=True)
    return {"values": plain(values), "shown": values, "axis": found}


def _choice_axis(name: str, knob: Choice, values: list[object]) -> dict[str, Any]:
    places = {text(value): place for place, value in enumerate(knob.values)}
    ticks = [said(thaw(value), SHORT) for value in knob.values]
    return {
        "values": [places[text(value)] for value in values],
        "shown": [worded(value) for value in values],
        "axis": category_axis(name, ticks, type="linear", autorange=False),
    }


def _option(name: str, found: dict[str, Any], data: str, place: str) -> Option:
    title = {f"{place}.title.text": found["axis"]["title"]["text"]}
    how = {f"{place}.{key}": found["axis"].get(key) for key in _OF_AN_AXIS}
    return Option(name, {data: [found["values"]]}, title | how)
