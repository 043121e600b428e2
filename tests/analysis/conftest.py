"""Synthetic runs whose first record says what the knobs are, as a real run's does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from synthetic_run import SyntheticRun

from orchestrator.env_space import EnvSpace
from orchestrator.frozen import thaw
from orchestrator.knobs import Cells, Choice, Integer, Knob, Numeric, Simplex
from orchestrator.records import RunStarted

Begin = Callable[..., SyntheticRun]
Started = Callable[[EnvSpace, tuple[str, ...]], RunStarted]


def in_a_file(knob: Knob) -> dict[str, Any]:
    """A knob as a resolved experiment file writes it."""
    if isinstance(knob, Numeric):
        whole = isinstance(knob, Integer)
        ends = {"low": knob.low, "high": knob.high}
        return ends | {"scale": knob.scale, "integer": whole, "start": None}
    if isinstance(knob, Choice):
        return {"choices": thaw(knob.values), "start": None}
    if isinstance(knob, Cells):
        return {"cells": knob.size, "low": knob.low, "high": knob.high, "start": None}
    assert isinstance(knob, Simplex)
    return {"simplex": list(knob.terms), "start": None}


@pytest.fixture
def written() -> Callable[[Knob], dict[str, Any]]:
    return in_a_file


@pytest.fixture
def started() -> Started:
    """A run's first record."""

    def record(space: EnvSpace, arms: tuple[str, ...]) -> RunStarted:
        knobs = {name: in_a_file(knob) for name, knob in space.knobs.items()}
        plain = {arm: {"env": {"knobs": knobs}} for arm in arms}
        return RunStarted(name="synthetic", experiment="0", arms=plain, versions={}, command=())

    return record


@pytest.fixture
def begin(started: Started) -> Iterator[Begin]:
    """A run in a new folder whose start and members are recorded."""
    runs = ExitStack()

    def begun(folder: Path, **options: Any) -> SyntheticRun:
        folder.mkdir(parents=True)
        run = SyntheticRun(folder, **options)
        runs.enter_context(run.journal)
        populations = run.ledger.populations.values()
        arms = tuple(dict.fromkeys(population.arm for population in populations))
        run.ledger.record(started(run.population.rules.space, arms))
        for population in populations:
            rules = population.rules
            start = rules.space.initial()
            beginnings = [({"lr": 0.001 * (1 + m)}, start) for m in range(rules.size)]
            run.ledger.record(*population.first(beginnings, "test"))
        return run

    with runs:
        yield begun


@pytest.fixture
def played(tmp_path: Path, begin: Begin) -> SyntheticRun:
    """Three boundaries, decided for real: the worst member copies the best at each."""
    run = begin(tmp_path / "played")
    run.boundary(4, {0: 10.0, 1: 20.0, 2: 30.0, 3: 40.0})
    run.boundary(8, {0: 45.0, 1: 25.0, 2: 35.0, 3: 50.0})
    run.boundary(12, {0: 60.0, 1: 70.0, 2: 15.0, 3: 55.0})
    return run
