"""Runs on disk that no process ever trained: experiment file, journal and members."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from experiments import changes
from experiments.loading import Loaded, dump, parse_experiment
from experiments.rules import beginnings, populations_of
from experiments.run_dir import RunDir
from orchestrator.journal import Journal
from orchestrator.records import MemberRecord, Record, Result, RunEnded, RunStarted

TEXT = """\
envolve: 1
name: made
env:
  id: CartPole
  config: {render_mode: null}
  knobs:
    gravity: {low: 5.0, high: 20.0}
    length: {low: 0.25, high: 2.0, scale: log}
algorithm:
  training: {lr: 0.001, train_batch_size_per_learner: 256, minibatch_size: 64}
  search: {lr: {low: 1.0e-4, high: 3.0e-3, scale: log}}
curriculum: {kind: population}
population: {size: 2, interval: 2}
evaluation: {levels: 4, test_levels: 4}
stop: {iterations: 8}
seeds: [0]
"""


def loaded(text: str = TEXT, *overrides: str) -> Loaded:
    """The text of an experiment file, read."""
    return parse_experiment(text, "made.yaml", overrides)


def made_run(path: Path, status: str | None = None, text: str = TEXT, trained: int = 0) -> RunDir:
    """A run of ``text`` at ``path``, its members trained so often.

    Args:
        status: what its end record says; None: it was killed.
    """
    experiment = loaded(text)
    place = RunDir(path.resolve())
    path.mkdir(parents=True, exist_ok=True)
    place.experiment.write_text(dump(experiment.resolved()))
    arms = changes.plain_arms(experiment.arms)
    with Journal(place.journal) as journal:
        journal.append(RunStarted(experiment.name, changes.digest(arms), arms, {}, ()))
        for population in populations_of(experiment.arms):
            drawn = beginnings(population, experiment.arms[population.arm])
            members = population.first(*drawn)
            journal.append(*members)
            for iteration in range(1, trained + 1):
                journal.append(*[_result(member, iteration) for member in members])
        if status is not None:
            journal.append(RunEnded(status))
    return place


def _result(member: Record, iteration: int) -> Result:
    assert isinstance(member, MemberRecord)
    who: dict[str, Any] = {"arm": member.arm, "seed": member.seed, "member": member.member}
    return Result(
        **who,
        iteration=iteration,
        training_return=20.0,
        env_steps=256 * iteration,
        revisions={"0": {"episodes": 3, "return": 20.0}},
        seconds={"train": 1.0},
    )
