"""The charts of one population of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from analysis.report.cast import Cast, last_scores
from analysis.report.charts import (
    GREY,
    Chart,
    axis,
    faint,
    joined,
    layout,
    line,
    look,
    plain,
    said,
    thinned,
)
from analysis.report.coverage_chart import coverage
from analysis.report.knob_charts import ribbon
from analysis.report.level_charts import generalisation, level_heat
from analysis.report.schedule_charts import hyperparameter
from orchestrator.pictures import copied, counted, percent, short
from orchestrator.suites import SELECT

__all__ = ["of_population"]

_LEAST_OTHERS = 4
_MOST_ANCESTORS = 6
_MOST_MARKS = 80
_MOST_STRETCHES = 60


def of_population(who: Cast) -> list[Chart]:
    """The charts of a population; those that nothing is known for are left out."""
    return [chart for chart in _charts(who) if chart is not None]


def _charts(who: Cast) -> Iterator[Chart | None]:
    run = who.run
    (arm, _), *_ = run.populations
    yield scores(who)
    for number, (name, knob) in enumerate(run.space[arm].knobs.items()):
        yield ribbon(who, name, knob, f"knob-{number}")
    yield coverage(who)
    for number, name in enumerate(run.hyperparameters["name"].unique()):
        yield hyperparameter(who, name, f"hyperparameter-{number}")
    yield level_heat(who)
    yield generalisation(who)
    yield time_spent(who)


def scores(who: Cast) -> Chart | None:
    """Every member's score, boundary by boundary; the best one's ancestry is underlaid."""
    if not who.scores["score"].notna().any():
        return None
    by_member = {member: who.scores[who.scores["member"] == member] for member in who.until}
    traces = [*_background(who, by_member), *_ancestral(who), *_jumps(who)]
    for member, style in who.looks.items():
        if len(by_member[member]):
            xs, ys = _broken(who, member, by_member[member])
            trace = line(
                style,
                xs,
                plain(ys),
                mode="lines+markers" if len(xs) <= _MOST_MARKS else "lines",
                name=f"m{member}",
                marker={"color": style.colour, "symbol": style.symbol, "size": 7},
                hovertemplate=f"m{member} at %{{x}}: %{{y}}<extra></extra>",
            )
            traces.append(trace)
    figure = {
        "data": traces,
        "layout": layout(440, axis("training iteration"), axis("score (return, select suite)")),
    }
    return Chart("scores", "Scores", _scores_caption(who), figure, _scores_table(who))


def _broken(who: Cast, member: int, own: pd.DataFrame) -> tuple[list[float], list[float]]:
    """A member's line; it breaks where what follows was not learnt from what stood before."""
    lineage = who.run.lineage
    copies = lineage[lineage["member"] == member].set_index("iteration")["donor_score"].to_dict()
    xs: list[float] = []
    ys: list[float] = []
    for iteration, score in zip(own["iteration"], own["score"], strict=True):
        xs.append(iteration)
        ys.append(score)
        if iteration in copies:
            xs += [math.nan, iteration]
            ys += [math.nan, copies[iteration]]
    kept = thinned(ys, who.points)
    return [xs[at] for at in kept], [ys[at] for at in kept]


def _background(who: Cast, by_member: dict[int, pd.DataFrame]) -> list[dict[str, object]]:
    if not who.background:
        return []
    each = max(who.background_points // len(who.background), _LEAST_OTHERS)
    lines = []
    for member in who.background:
        own = by_member[member]
        if len(own):
            kept = own.iloc[thinned(own["score"].to_numpy(), each)]
            lines.append((plain(kept["iteration"]), plain(kept["score"])))
    return [
        line(
            look(0),
            joined(xs for xs, _ in lines),
            joined(ys for _, ys in lines),
            line={"color": faint(GREY, 0.35), "width": 1},
            name=f"{len(who.background)} others",
            hoverinfo="skip",
        )
    ]


def _ancestral(who: Cast) -> list[dict[str, object]]:
    if who.ancestry is None or who.best is None:
        return []
    along = who.ancestry.scores
    along = along[along["suite"] == SELECT].drop_duplicates(["member", "iteration"])
    along = along.iloc[thinned(along["score"].to_numpy(), who.points)]
    return [
        line(
            look(0),
            plain(along["iteration"]),
            plain(along["score"]),
            line={"color": faint(GREY, 0.35), "width": 12},
            name=f"lineage of m{who.best[0]}",
            hoverinfo="skip",
        )
    ]


def _jumps(who: Cast) -> list[dict[str, object]]:
    """Exploits of members that stand out: from a member's own score to its donor's."""
    lineage = who.run.lineage
    lineage = lineage[lineage["member"].isin(list(who.looks))]
    own = who.scores.rename(columns={"score": "own"})
    found = lineage.merge(own, on=["member", "iteration"]).dropna(subset=["own", "donor_score"])
    if found.empty:
        return []
    rows = list(
        zip(
            found["member"],
            found["iteration"],
            found["own"],
            found["donor"],
            found["donor_iteration"],
            found["donor_score"],
            strict=True,
        )
    )
    rows = [rows[at] for at in thinned(found["iteration"].to_numpy(), who.points)]
    texts = [f"m{m} {copied(m, d)} as of {t}" for m, _, _, d, t, _ in rows]
    return [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": joined((at, at) for _, at, *_ in rows),
            "y": joined(plain((score, copied)) for _, _, score, _, _, copied in rows),
            "text": joined((text, text) for text in texts),
            "hovertemplate": "%{text}: %{y}<extra></extra>",
            "name": "exploit",
            "line": {"color": GREY, "width": 1, "dash": "dot"},
            "marker": {"symbol": "triangle-up", "size": 6, "color": GREY, "opacity": 0.8},
        }
    ]


def _scores_caption(who: Cast) -> str:
    newest = last_scores(who.scores)
    ahead, score = next(iter(newest.items()), (None, math.nan))
    parts = []
    if ahead is not None:
        parts.append(f"m{ahead} ends best at {short(score)}")
    if who.best is not None and who.ancestry is not None:
        member, iteration = who.best
        if (member, iteration) != (ahead, who.until[member]):
            top = short(float(who.scores["score"].max()))
            parts.append(f"the best checkpoint is m{member}'s at {iteration}, {top}")
        trained_by = [f"m{each}" for each in who.ancestry.segments["member"]]
        if len(trained_by) > 1:
            more = ["…"] if len(trained_by) > _MOST_ANCESTORS else []
            way = " → ".join(more + trained_by[-_MOST_ANCESTORS:])
            parts.append(f"its weights came by way of {way}")
    parts.append(counted(len(who.run.lineage), "exploit"))
    if who.background:
        parts.append(f"{len(who.background)} of {len(who.until)} members are grey")
    return "; ".join(parts) + "."


def _scores_table(who: Cast) -> pd.DataFrame:
    newest = last_scores(who.scores)
    top = who.scores.groupby("member")["score"].max()
    exploits = who.run.lineage.groupby("member").size()
    rows = [
        {
            "member": f"m{member}",
            "last score": score,
            "best score": top[member],
            "exploits": int(exploits.get(member, 0)),
            "iterations": who.until[member],
        }
        for member, score in newest.items()
    ]
    return pd.DataFrame(rows)


def time_spent(who: Cast) -> Chart | None:
    """What an iteration's seconds went to, over the iterations."""
    seconds = who.run.seconds
    total = seconds.groupby("part")["seconds"].sum().sort_values(ascending=False)
    whole = float(total.sum())
    if not whole > 0:
        return None
    stretch = max(math.ceil(who.end / min(who.points, _MOST_STRETCHES)), 1)
    begins = ((seconds["iteration"] - 1) // stretch) * stretch + 1
    iterations = seconds.groupby(begins)[["member", "iteration"]].apply(
        lambda frame: len(frame.drop_duplicates())
    )
    means = seconds.pivot_table(
        index=begins, columns="part", values="seconds", aggfunc="sum", fill_value=0.0
    ).div(iterations, axis=0)
    traces = [
        {
            "type": "bar",
            "x": plain(means.index),
            "y": plain(means[part]),
            "width": 0.95 * stretch,
            "offset": 0,
            "name": said(part),
            "marker": {"color": look(index).colour if index < 7 else GREY},
            "hovertemplate": "%{x}: %{y} s<extra>%{fullData.name}</extra>",
        }
        for index, part in enumerate(total.index)
    ]
    figure = {
        "data": traces,
        "layout": layout(
            360,
            axis("training iteration"),
            axis("seconds an iteration"),
            barmode="stack",
        ),
    }
    shares = total / whole
    said_parts = ", ".join(f"{percent(share)} {part}" for part, share in shares.head(3).items())
    table = pd.DataFrame(
        {"part": total.index, "seconds": total.to_numpy(), "share": shares.to_numpy()}
    )
    caption = f"{_duration(whole)} of members' time: {said_parts}."
    return Chart("time", "Where the time went", caption, figure, table)


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 2:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
