"""Ways in which stock Ray loses models that are pure logic here: rows of ``make faults``."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from simulated_population import SEARCH, rules, started
from synthetic_run import INTERVAL, SyntheticRun

from experiments.loading import load
from experiments.problems import BadInput
from orchestrator import checkpoints
from orchestrator.explore import Perturb
from orchestrator.initial import draw_with_optuna
from orchestrator.knobs import Choice, Continuous, Integer
from orchestrator.records import CheckpointSaved, Exploit, Fault, Record, Score
from orchestrator.retention import BEST
from orchestrator.sweeping import sweep

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[SyntheticRun]:
    """A run that has begun, with a real journal and real checkpoints."""
    run = SyntheticRun(tmp_path)
    run.begin()
    yield run
    run.journal.close()


def test_row_1_retention_never_removes_what_a_member_stands_on(run: SyntheticRun) -> None:
    """Keeping one best checkpoint of many boundaries, every donor's is there and whole."""
    run.shelf.keep_best = 1
    rng = np.random.default_rng(0)
    exploits = 0
    for boundary in range(INTERVAL, 10 * INTERVAL, INTERVAL):
        run.boundary(boundary, dict(enumerate(rng.permutation(4).astype(float))))
        exploits = sum(isinstance(record, Exploit) for record in run.taken)
        sweep(run.ledger, run.shelf, run.folder)
        for saved in run.population.restore_points():
            checkpoints.verify(run.folder / saved.path, saved.digest)
    assert exploits >= 8


def test_row_2_the_best_are_kept_whatever_comes_later(run: SyntheticRun) -> None:
    """Scores 10, 100, 5, 4, 3, keeping two: 100 and 10 lie under ``best/``."""
    run.shelf.keep_best = 2
    for number, score in enumerate([10.0, 100.0, 5.0, 4.0, 3.0], start=1):
        run.boundary(INTERVAL * number, {0: score})
        sweep(run.ledger, run.shelf, run.folder)
    assert [record.score for record in run.shelf.best()] == [100.0, 10.0]
    assert len(list((run.folder / BEST).iterdir())) == 2
    for place in (run.folder / BEST).iterdir():
        checkpoints.verify(place)


def test_row_10_a_failed_or_finished_member_is_not_waited_for(run: SyntheticRun) -> None:
    """The barrier counts live members only."""
    for iteration in range(1, INTERVAL + 1):
        run.train(iteration)
    for member in range(3):
        run.score(member, float(member), INTERVAL)
    assert run.population.due() == []
    run.fault(3, "gone", action="failed")
    assert run.population.due() == [0, 1, 2]


def test_row_24_only_a_member_with_a_checkpoint_can_be_a_donor() -> None:
    """The loser goes on as it is, and that is a record."""
    population = started(rules())
    for member in population.members:
        who: dict[str, Any] = {"arm": "main", "seed": 7, "member": member, "iteration": 2}
        score = float(member)
        population.apply(Score(**who, score=score, suite="select", returns=(score,)))
        if member != 3:
            population.apply(CheckpointSaved(**who, path=f"m{member}", digest="0", score=score))
    decided = population.decide([0])
    assert not [record for record in decided if isinstance(record, Exploit)]
    (skip,) = [record for record in decided if isinstance(record, Fault)]
    assert (skip.error, skip.action) == (
        "to copy m3, m3 must have a checkpoint, but has none",
        "m0 goes on as it is",
    )
    for record in decided:
        population.apply(record)
    assert population.members[0].faults == 0


def test_row_27_explored_values_are_clipped_cast_and_in_order() -> None:
    """Ten thousand steps never leave the range; an integer stays one; zero moves."""
    search = {
        "gamma": Continuous(0.0, 1.0),
        "layers": Integer(1, 8),
        "batch": Choice((32, 64, 128)),
    }
    values: dict[str, Any] = {"gamma": 0.0, "layers": 1, "batch": 32}
    rng = np.random.default_rng(0)
    seen = []
    for _ in range(10_000):
        values = Perturb(factor=1.5, resample=0.0).explore(values, search, rng)
        assert 0.0 <= values["gamma"] <= 1.0
        assert type(values["layers"]) is int
        assert 1 <= values["layers"] <= 8
        assert values["batch"] in (32, 64, 128)
        seen.append(values["gamma"])
    assert len(set(seen)) > 1


def decisions(population: Any) -> list[Record]:
    for member in population.members:
        who: dict[str, Any] = {"arm": "main", "seed": 7, "member": member, "iteration": 2}
        score = float(member)
        population.apply(Score(**who, score=score, suite="select", returns=(score,)))
        population.apply(CheckpointSaved(**who, path=f"m{member}", digest="0", score=score))
    found: list[Record] = population.decide([0, 1, 2, 3])
    return found


def test_row_28_decisions_draw_from_the_seed_alone() -> None:
    """Whatever the global generators are at: the same seed decides the same."""
    before = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        seen = []
        for number in (1, 2):
            random.seed(number)
            np.random.seed(number)  # noqa: NPY002
            seen.append(decisions(started(rules())))
        assert seen[0] == seen[1]
        assert any(isinstance(record, Exploit) for record in seen[0])
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002


@pytest.mark.parametrize(
    "key", ["population.intervall", "population.max_fault", "stop.iteration", "checkpoint.keep"]
)
def test_row_29_unknown_keys_are_errors(key: str) -> None:
    """Each with the nearest key that there is."""
    section = key.split(".")[0]
    with pytest.raises(BadInput, match=f"{key}: must be a key of {section}, but got"):
        load(ROOT / "experiments" / "quickstart.yaml", [f"{key}=1"])


@pytest.mark.parametrize("sampler", ["qmc", "random", "tpe"])
def test_row_30_optuna_works_inside_the_population(sampler: Any) -> None:
    """Its samplers draw what the members begin with; they exploit and explore from there."""
    now = rules()
    beginnings = draw_with_optuna(now.size, now.space, now.search, now.curriculum, sampler, 7, "a")
    population = started(now)
    for member, (hyperparameters, distribution) in enumerate(beginnings):
        assert set(hyperparameters) == set(SEARCH)
        assert distribution.space == now.space
        assert member in population.members
    assert len({str(hyperparameters) for hyperparameters, _ in beginnings}) == now.size
    assert any(isinstance(record, Exploit) for record in decisions(population))
