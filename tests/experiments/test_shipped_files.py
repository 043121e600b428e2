"""The files beside the package are what newcomers begin with: each holds, and each runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from real_runs import Envolve, RunOnDisk

import experiments
from experiments.checking import check
from experiments.loading import load

FILES = sorted(Path(experiments.__file__).parent.glob("*.yaml"))

# As little as goes through all that the file asks for: training, a boundary, scoring, saving.
TINY = (
    "algorithm.training.train_batch_size_per_learner=240",
    "algorithm.training.minibatch_size=60",
    "algorithm.env_runners.num_envs_per_env_runner=4",
    "population.size=2",
    "population.interval=1",
    "evaluation.levels=2",
    "evaluation.test_levels=2",
    "evaluation.max_steps=20",
    "stop.iterations=2",
    "seeds=[0]",
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_holds_for_rllib_and_for_its_env(file: Path) -> None:
    loaded = load(file)
    assert check(loaded).keys() == loaded.arms.keys()


@pytest.mark.ray
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_runs_to_its_end(file: Path, envolve: Envolve) -> None:
    changes = [argument for each in TINY for argument in ("--set", each)]
    ended = envolve("run", file, "--run-dir", "run", *changes)
    assert ended.code == 0, ended.err
    run = RunOnDisk(envolve.cwd / "run")
    assert not run.of("fault")
    arms = load(file).arms
    assert {record["arm"] for record in run.of("score", suite="test")} == arms.keys()
    assert len(run.of("checkpoint")) == 2 * 2 * len(arms)
