"""What one member costs, measured: it is built, trained, scored and saved in this process."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import psutil

from experiments import build
from experiments.estimate import Cost, measured_as
from experiments.rules import beginnings, populations_of
from experiments.spec import Experiment
from orchestrator.member import Member
from orchestrator.population import Population
from orchestrator.report import Report
from orchestrator.stop import Stop

T = TypeVar("T")

_TIMED = 2
# An iteration that takes longer than this is timed but once.
_LONG = 10.0
# Off-policy algorithms first fill a buffer; until they learn, iterations are too cheap.
_WARM_UP_SECONDS = 30.0
_GIB = 2**30


def measure(
    experiments: Mapping[str, Experiment], arms: Mapping[str, build.Arm]
) -> dict[str, Cost]:
    """Costs of a member of each arm. Ray must be up.

    Raises:
        Exception: whatever a member of the arms would fail with.
    """
    costs: dict[str, Cost] = {}
    for name, like in measured_as(experiments).items():
        if name == like:
            costs[name] = _measure(experiments[name], name, arms[name])
        else:
            costs[name] = costs[like].scaled(_batch(arms[name]) / _batch(arms[like]))
    return costs


@contextmanager
def silence() -> Iterator[None]:
    """Nothing that Ray, RLlib or an env prints reaches the screen, whatever it is written in."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, original in enumerate(kept, start=1):
            os.dup2(original, number)
        for handle in (nowhere, *kept):
            os.close(handle)


def _measure(experiment: Experiment, name: str, arm: build.Arm) -> Cost:
    # Neither boundaries nor an end: what happens there is timed by itself.
    blueprint = replace(arm.blueprint, interval=sys.maxsize, stop=Stop())
    with tempfile.TemporaryDirectory(prefix="envolve-") as folder:
        member = Member(blueprint, Path(folder), _first_state(experiment, name))
        try:
            learnt = _warm_up(member)
            before = member.env_steps
            reports = _timed_iterations(member)
            steps = member.env_steps - before
            score, _ = _timed(lambda: member.play(blueprint.select))
            score_steps = member.env_steps - before - steps
            save, (path, _) = _timed(member.save)
            return Cost(
                iteration=sum(_spent(report) for report in reports) / len(reports),
                score=score,
                save=save,
                steps=max(1, round(steps / len(reports))),
                score_steps=score_steps,
                checkpoint=_bytes(Path(folder) / path),
                report=len(json.dumps(dataclasses.asdict(reports[-1]), default=str)),
                memory=psutil.Process().memory_info().rss / _GIB,
                timed=len(reports),
                learnt=learnt,
            )
        finally:
            member.close()


def _first_state(experiment: Experiment, name: str) -> dict[str, Any]:
    """Where the first member of an arm's first population begins."""
    population: Population = populations_of({name: experiment})[0]
    for record in population.first(*beginnings(population, experiment)):
        population.apply(record)
    return population.members[0].plain()


def _warm_up(member: Member) -> bool:
    """The first iterations, up to one in which something was learnt; whether there was one."""
    begin = time.perf_counter()
    while time.perf_counter() - begin < _WARM_UP_SECONDS:
        if member.iterate().learner:
            return True
    return False


def _timed_iterations(member: Member) -> list[Report]:
    reports = [member.iterate()]
    while len(reports) < _TIMED and _spent(reports[0]) < _LONG:
        reports.append(member.iterate())
    return reports


def _spent(report: Report) -> float:
    """Seconds, those of rollouts without gradient included."""
    return report.seconds["train"] + report.seconds.get("probe", 0.0)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    begin = time.perf_counter()
    result = work()
    return time.perf_counter() - begin, result


def _batch(arm: build.Arm) -> int:
    return int(arm.blueprint.algorithm.total_train_batch_size)


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
