"""What all contenders train: how much of it, and the PPO config of stock RLlib."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import ray
from gymnasium.wrappers import TimeLimit
from ray.rllib.algorithms.ppo import PPOConfig
from ray.tune.registry import register_env

from benchmarks.sweep.env import DrawnCartPole

LR = (1e-4, 3e-3)
"""Lowest and highest learning rate of the search."""

SPREAD = (0.5, 1.0)
"""Lowest and highest share of the env's ranges in the search."""

_ENV = "benchmarks-sweep"
_LEVELS = 16


@dataclass(frozen=True)
class Work:
    """How much there is to train.

    Attributes:
        members: of the population.
        iterations: of each member.
        interval: iterations between two evaluations, checkpoints and exploits of a member.
        cores: of the machine; as many bare loops run at once.
        resident: members that fit into memory at once; None: all of them.
    """

    members: int
    iterations: int
    interval: int
    cores: int
    resident: int | None = None

    @property
    def whole(self) -> int:
        """Iterations of all members together."""
        return self.members * self.iterations

    def text(self) -> str:
        """As an argument on a command line."""
        return json.dumps(asdict(self))

    @classmethod
    def of_text(cls, text: str) -> Work:
        """The work that `text` wrote."""
        return cls(**json.loads(text))


def ppo(work: Work) -> PPOConfig:
    """The config of every contender but envolve: quickstart's, with RLlib's own evaluation.

    One episode on each of the suite's levels, in a sub-env of its own. RLlib stops at the
    episode that makes their number full, so that it may take a little less than a suite.
    """
    register_env(_ENV, _make)
    config = PPOConfig()
    config.environment(env=_ENV, env_config={"spread": 1.0})
    config.env_runners(num_env_runners=0, num_envs_per_env_runner=16)
    config.training(lr=1e-3, train_batch_size_per_learner=2048, minibatch_size=256, num_epochs=4)
    config.rl_module(model_config={"fcnet_hiddens": [64, 64]})
    config.evaluation(
        evaluation_interval=work.interval,
        evaluation_duration=_LEVELS,
        evaluation_duration_unit="episodes",
        evaluation_num_env_runners=0,
        evaluation_config={
            "env_config": {"suite": _LEVELS},
            "num_envs_per_env_runner": _LEVELS,
            "explore": False,
        },
    )
    return config


def start_ray(cpus: int) -> None:
    """A Ray of this process alone, without what a sweep has no use for."""
    # A score that is there at boundaries alone is no reason to raise in between.
    os.environ["TUNE_DISABLE_STRICT_METRIC_CHECKING"] = "1"
    ray.init(
        address="local",
        num_cpus=cpus,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )


def _make(config: Mapping[str, Any]) -> TimeLimit[Any, Any]:
    return TimeLimit(DrawnCartPole(config), DrawnCartPole.max_episode_steps)
