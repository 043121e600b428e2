"""Stock Ray: Tune's PopulationBasedTraining over RLlib's PPO."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import PopulationBasedTraining

from benchmarks.sweep.done import Done
from benchmarks.sweep.work import LR, SPREAD, Work, ppo, start_ray

_SCORE = "evaluation/env_runners/episode_return_mean"


def train(work: Work, folder: Path) -> Done:
    """As its documentation shows it."""
    start_ray(work.cores)
    return fitted(work, folder, "PPO", ppo(work).to_dict(), _SCORE)


def train_reusing(work: Work, folder: Path) -> Done:
    """With ``reuse_actors``, which asks a Trainable for ``reset_config``."""
    start_ray(work.cores)
    return fitted(work, folder, "PPO", ppo(work).to_dict(), _SCORE, reuse_actors=True)


def fitted(
    work: Work,
    folder: Path,
    trainable: Any,
    config: Mapping[str, Any],
    score: str,
    *,
    reuse_actors: bool = False,
) -> Done:
    """Run a Tuner with PBT that searches learning rate and env config."""
    spread = tune.uniform(*SPREAD)
    scheduler = PopulationBasedTraining(
        time_attr="training_iteration",
        perturbation_interval=work.interval,
        hyperparam_mutations={"lr": tune.loguniform(*LR), "env_config": {"spread": spread}},
        custom_explore_fn=_in_range,
        # RLlib's results have the score from the first evaluation on.
        require_attrs=False,
    )
    tuner = tune.Tuner(
        trainable,
        param_space={**config, "lr": tune.loguniform(*LR), "env_config": {"spread": spread}},
        tune_config=tune.TuneConfig(
            metric=score,
            mode="max",
            scheduler=scheduler,
            num_samples=work.members,
            reuse_actors=reuse_actors,
        ),
        run_config=tune.RunConfig(
            name="run",
            storage_path=str(folder),
            stop={"training_iteration": work.iterations},
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=work.interval),
            verbose=0,
        ),
    )
    results = tuner.fit()
    trained = sum((result.metrics or {}).get("training_iteration", 0) for result in results)
    ray.shutdown()
    return Done(trained, _complaint(results.errors, work))


def _complaint(errors: list[Exception], work: Work) -> str:
    if not errors:
        return ""
    lines = [line.strip() for line in str(errors[0]).splitlines() if line.strip()]
    return f"{len(errors)} of {work.members} trials failed: {lines[-1]}"


def _in_range(config: dict[str, Any]) -> dict[str, Any]:
    """PBT multiplies by 0.8 or 1.2 and does not look where that leads."""
    low, high = SPREAD
    spread = min(high, max(low, config["env_config"]["spread"]))
    return {**config, "env_config": {**config["env_config"], "spread": spread}}
