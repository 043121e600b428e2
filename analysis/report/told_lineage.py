"""What the lineage explorer is told: one population's members, exploits and decisions, as JSON.

===============  ==================================================================================
key              holds
===============  ==================================================================================
``arm, seed``    which population
``best``         [member, iteration] of the best score, or None
``range``        [lowest, highest] score, or None
``stops``        iterations that can be asked about: boundaries, and members' ends; not empty
``knobs``        ``name``, and ``low``, ``high``, ``log`` or the ``values`` that have weights
``keys``         names of the searched hyperparameters
``texts``        by whom and why; moves say which by their place in this list
``note``         what was left out, in a sentence; empty if nothing was
``members``      of each its ``member`` number, its ``end`` (iteration), and

                 - ``scores``: one for each stop, None without
                 - ``copies``: [iteration, donor, the donor's iteration, the donor's score]
                 - ``values``: [iteration, a value for each key], where they change
                 - ``draws``: [iteration, [low, high] or weights for each knob], where they change
                 - ``moves``: [iteration, by, why]
                 - ``faults``: [iteration, what went wrong and what was done]
===============  ==================================================================================
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from analysis.report.cast import Cast
from analysis.report.charts import plain, worded
from orchestrator.knobs import Choice, Knob, Simplex, ranged

__all__ = ["told_lineage"]

_MOST_BYTES = 1_200_000
_MOST_FAULTS = 500
_LONGEST = 400


def told_lineage(who: Cast) -> dict[str, Any]:
    """What `envolve.lineage` of ``lineage.js`` draws: of many populations less of each."""
    for every in (2**power for power in itertools.count()):
        told = _told(who, every)
        small = len(json.dumps(told, separators=(",", ":"))) <= _MOST_BYTES // who.among
        if small or every > who.end:
            return told
    raise AssertionError("powers of two do not end")


def _told(who: Cast, every: int) -> dict[str, Any]:
    """Everything; of changes within ``every`` iterations only each member's last."""
    run = who.run
    ((arm, seed),) = run.populations
    stops = sorted({*who.scores["iteration"].to_list(), *who.until.values()} - {0}) or [0]
    known = who.scores["score"].dropna()
    knobs = run.space[arm].knobs
    keys = run.hyperparameters["name"].unique().tolist()
    texts: dict[str, int] = {}
    parts = {
        "copies": _copies(run.lineage),
        "values": _values(run.hyperparameters, keys),
        "draws": _draws(_thinned(run.distributions, every), list(knobs)),
        "moves": _moves(_thinned(run.mutations, every), texts),
        "faults": _faults(run.faults.tail(_MOST_FAULTS)),
    }
    scores = who.scores.pivot(index="member", columns="iteration", values="score")
    scores = scores.reindex(index=list(who.until), columns=stops)
    by_member = dict(zip(who.until, scores.to_numpy(), strict=True))
    return {
        "arm": arm,
        "seed": seed,
        "best": None if who.best is None else list(who.best),
        "range": None if known.empty else plain([known.min(), known.max()]),
        "stops": stops,
        "knobs": [_knob(*each) for each in knobs.items()],
        "keys": keys,
        "texts": list(texts),
        "note": ""
        if every == 1
        else f"Of changes within {every} iterations only a member’s last one is told here.",
        "members": [
            {
                "member": member,
                "end": end,
                "scores": plain(by_member[member]),
                **{part: rows.get(member, []) for part, rows in parts.items()},
            }
            for member, end in who.until.items()
        ],
    }


def _thinned(frame: pd.DataFrame, every: int) -> pd.DataFrame:
    """The last revision of each member in each stretch of ``every`` iterations, and the first."""
    # 0 is a stretch of its own: what members begin with.
    stretch = -(-frame["iteration"] // every)
    newest = frame.groupby([frame["member"], stretch])["revision"].transform("last")
    return frame[frame["revision"] == newest]


def _knob(name: str, knob: Knob) -> dict[str, Any]:
    numbers = ranged(knob)
    if numbers is not None:
        ends = {"low": numbers.low, "high": numbers.high}
        return {"name": name, **ends, "log": numbers.scale == "log"}
    if isinstance(knob, Choice):
        return {"name": name, "values": [worded(value) for value in knob.values]}
    assert isinstance(knob, Simplex)
    return {"name": name, "values": list(knob.terms)}


def _by_member(rows: Iterable[tuple[int, list[Any]]]) -> dict[int, list[list[Any]]]:
    found: dict[int, list[list[Any]]] = {}
    for member, row in rows:
        found.setdefault(member, []).append(row)
    return found


def _copies(lineage: pd.DataFrame) -> dict[int, list[list[Any]]]:
    columns = ["member", "iteration", "donor", "donor_iteration", "donor_score"]
    cells = lineage[columns].itertuples(index=False)
    return _by_member((int(member), plain(row)) for member, *row in cells)


def _values(hyperparameters: pd.DataFrame, keys: list[str]) -> dict[int, list[list[Any]]]:
    columns = ["member", "iteration", "name", "value"]

    def states() -> Iterator[tuple[int, list[Any]]]:
        for (member, iteration), rows in _together(hyperparameters[columns], 2):
            named = {name: value for _, _, name, value in rows}
            yield member, [iteration, [_value(named.get(key)) for key in keys]]

    return _by_member(states())


def _value(value: object) -> object:
    return plain([value])[0] if isinstance(value, float) else value


def _draws(drawn: pd.DataFrame, knobs: list[str]) -> dict[int, list[list[Any]]]:
    columns = ["member", "iteration", "revision", "knob", "low", "high", "weights"]

    def states() -> Iterator[tuple[int, list[Any]]]:
        for (member, iteration, _), rows in _together(drawn[columns], 3):
            named = {
                knob: plain(weights.values() if isinstance(weights, dict) else (low, high))
                for *_, knob, low, high, weights in rows
            }
            yield member, [iteration, [named[knob] for knob in knobs]]

    return _by_member(states())


def _moves(mutations: pd.DataFrame, texts: dict[str, int]) -> dict[int, list[list[Any]]]:
    def place(text: str) -> int:
        return texts.setdefault(text[:_LONGEST], len(texts))

    cells = mutations[["member", "iteration", "by", "why"]].itertuples(index=False)
    return _by_member(
        (int(member), [int(iteration), place(by), place(why)])
        for member, iteration, by, why in cells
    )


def _faults(faults: pd.DataFrame) -> dict[int, list[list[Any]]]:
    cells = faults[["member", "iteration", "error", "action"]].itertuples(index=False)
    return _by_member(
        (int(member), [int(iteration), f"{error[:_LONGEST]} ({action})"])
        for member, iteration, error, action in cells
    )


def _together(frame: pd.DataFrame, columns: int) -> Iterator[tuple[tuple[int, ...], list[Any]]]:
    """Neighbouring rows that agree in the first columns, which are whole numbers."""
    cells = zip(*(frame[name].to_list() for name in frame), strict=True)
    for key, rows in itertools.groupby(cells, key=lambda row: row[:columns]):
        yield key, list(rows)
