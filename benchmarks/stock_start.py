"""``python -m benchmarks.stock_start FOLDER``: stock Ray Tune to its first training results.

The least that a script has to say to train the quickstart's PPO on gymnasium's CartPole. Prints
the time of the first result, in seconds since the epoch.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from ray import tune
from ray.rllib.algorithms.ppo import PPOConfig

TRIALS = 2


class FirstResult(tune.Callback):  # type: ignore[misc]
    """Notes when the first result of all trials came."""

    def __init__(self) -> None:
        self.at: float | None = None

    def on_trial_result(self, *_: Any, **__: Any) -> None:
        """Called by Tune with each result."""
        self.at = self.at or time.time()


def main() -> None:
    """Train until each trial has brought two results."""
    config = (
        PPOConfig()
        .environment("CartPole-v1")
        .env_runners(num_env_runners=0, num_envs_per_env_runner=16)
        .rl_module(model_config={"fcnet_hiddens": [64, 64]})
        .training(
            lr=tune.loguniform(1e-4, 3e-3),
            train_batch_size_per_learner=2048,
            minibatch_size=256,
            num_epochs=4,
        )
    )
    first = FirstResult()
    tune.Tuner(
        "PPO",
        param_space=config,
        tune_config=tune.TuneConfig(num_samples=TRIALS),
        run_config=tune.RunConfig(
            storage_path=sys.argv[1],
            stop={"training_iteration": 2},
            callbacks=[first],
            verbose=0,
        ),
    ).fit()
    print(first.at)


if __name__ == "__main__":
    main()
