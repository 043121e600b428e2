"""Where every member of a run stands, a row each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.frames import Run
from analysis.report.wording import drawn
from orchestrator.stop import Stop
from orchestrator.suites import SELECT, TEST

_FRAMES = ("results", "scores", "lineage", "faults", "distributions", "hyperparameters")
_GIVEN_UP = "failed"


@dataclass(frozen=True)
class Member:
    """Where a member stands.

    Attributes:
        status: ``finished``, ``failed``, ``training``, or ``unfinished``: no one trains it now.
        score, test: the newest on the select suite, and on the test suite; None without one.
        copied: how often it became a copy of another.
        hyperparameters: those that are searched.
        environments: how each knob is drawn now, by name.
    """

    arm: str
    seed: int
    member: int
    status: str
    iteration: int
    env_steps: int
    score: float | None
    test: float | None
    revision: int
    copied: int
    faults: int
    hyperparameters: Mapping[str, Any]
    environments: Mapping[str, str]


def members(run: Run) -> Iterator[Member]:
    """The members of a run of one population, in their order."""
    ((arm, seed),) = run.populations
    by_member = {
        name: {int(key): rows for key, rows in getattr(run, name).groupby("member")}
        for name in _FRAMES
    }
    empty = {name: getattr(run, name).iloc[:0] for name in _FRAMES}
    stop = Stop(**run.arms[arm].get("stop", {}))
    for member in sorted(by_member["distributions"]):
        rows = {name: by_member[name].get(member, empty[name]) for name in _FRAMES}
        yield _member((arm, seed, member), rows, stop, run.status)


def _member(
    key: tuple[str, int, int], rows: Mapping[str, pd.DataFrame], stop: Stop, status: str
) -> Member:
    results, scores, faults = rows["results"], rows["scores"], rows["faults"]
    iteration = int(results["iteration"].max()) if len(results) else 0
    env_steps = int(results["env_steps"].max()) if len(results) else 0
    score = last(scores[scores["suite"] == SELECT]["score"])
    minutes = float(results["seconds"].sum()) / 60
    drawn_now = rows["distributions"].drop_duplicates("knob", keep="last")
    searched = rows["hyperparameters"].drop_duplicates("name", keep="last")
    arm, seed, member = key
    return Member(
        arm=arm,
        seed=seed,
        member=member,
        status=_status(
            status,
            given_up=_given_up(faults, iteration),
            done=stop.spent(iteration, env_steps, minutes) or stop.reached(score),
        ),
        iteration=iteration,
        env_steps=env_steps,
        score=score,
        test=last(scores[scores["suite"] == TEST]["score"]),
        revision=int(rows["distributions"]["revision"].max()),
        copied=len(rows["lineage"]),
        faults=len(faults),
        hyperparameters=dict(zip(searched["name"], searched["value"], strict=True)),
        environments={
            row["knob"]: drawn(row["low"], row["high"], row["weights"])
            for row in drawn_now.to_dict("records")
        },
    )


def _given_up(faults: pd.DataFrame, iteration: int) -> bool:
    """Whether its last fault was its end: it has not trained since."""
    if faults.empty:
        return False
    end = faults.iloc[-1]
    return bool(end["action"] == _GIVEN_UP and end["iteration"] >= iteration)


def _status(of_run: str, *, given_up: bool, done: bool) -> str:
    if given_up:
        return "failed"
    if done or of_run == "finished":
        return "finished"
    return "training" if of_run == "running" else "unfinished"


def last(values: pd.Series[Any]) -> float | None:
    """The last of some numbers; None if there is none, or it is not one."""
    return None if values.empty or pd.isna(values.iloc[-1]) else float(values.iloc[-1])
