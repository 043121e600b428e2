"""The strong baseline: what one would write by hand to have stock Tune keep its processes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from ray import tune
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.utils.schedules.scheduler import Scheduler

from benchmarks.sweep.done import Done
from benchmarks.sweep.stock import fitted
from benchmarks.sweep.work import Work, ppo, start_ray

_EVALUATION = ("evaluation", "env_runners", "episode_return_mean")
_ALGORITHM = "algorithm"


class ReusableTrial(tune.Trainable):  # type: ignore[misc]
    """Owns an Algorithm, and takes another trial's config without building it anew.

    ``config``: ``lr``, ``env_config`` and ``work``.
    """

    def setup(self, config: dict[str, Any]) -> None:
        torch.set_num_threads(1)
        self._build()

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._take(new_config)
        self._of_another = True
        return True

    def step(self) -> dict[str, Any]:
        if self._of_another:
            # A trial that begins in a process that another one left.
            self._algorithm.stop()
            self._build()
        result = self._algorithm.train()
        return {"score": _score(result)}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        self._algorithm.save_to_path(str(Path(checkpoint_dir, _ALGORITHM)))

    def load_checkpoint(self, checkpoint_dir: str) -> None:
        self._algorithm.restore_from_path(str(Path(checkpoint_dir, _ALGORITHM)))
        # The learning rate came with the optimizer.
        self._take(self.config)
        self._of_another = False

    def cleanup(self) -> None:
        self._algorithm.stop()

    def _build(self) -> None:
        config = ppo(Work.of_text(self.config["work"]))
        config.environment(env_config=self.config["env_config"])
        config.training(lr=self.config["lr"])
        self._algorithm: Algorithm = config.build_algo()
        self._of_another = False

    def _take(self, config: Mapping[str, Any]) -> None:
        """Change learning rate and env config in place."""
        rate, spread = config["lr"], config["env_config"]["spread"]

        def learn(learner: Any) -> None:
            for optimizer in learner._optimizer_lr_schedules:
                schedule = Scheduler(fixed_value_or_schedule=rate, framework=learner.framework)
                learner._optimizer_lr_schedules[optimizer] = schedule
                learner._set_optimizer_lr(optimizer, lr=rate)

        self._algorithm.learner_group.foreach_learner(learn)
        self._algorithm.env_runner_group.foreach_env_runner(
            lambda runner: runner.env.unwrapped.call("set_spread", spread)
        )


def train(work: Work, folder: Path) -> Done:
    """All members resident, as far as they may be, in shares of the CPUs."""
    start_ray(work.cores)
    share = math.floor(1000 * work.cores / (work.resident or work.members)) / 1000
    trainable = tune.with_resources(ReusableTrial, {"cpu": min(1.0, share)})
    return fitted(work, folder, trainable, {"work": work.text()}, "score", reuse_actors=True)


def _score(result: Mapping[str, Any]) -> float:
    """The mean return on the suite; NaN where it was not played."""
    found: Any = result
    for name in _EVALUATION:
        found = found.get(name, {})
    return float(found) if found != {} else math.nan
