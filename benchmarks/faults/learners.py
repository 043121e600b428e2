"""Small RLlib Algorithms for the scenarios, and looking into their processes.

RLlib takes seconds to import, which scenarios of Tune alone should not wait for: here it is
imported by the functions that need it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box, Discrete

MODULE = "default_policy"
FIRST_TASK = 0

Weights = dict[str, Any]


class TaskEnv(gymnasium.Env[Any, Any]):
    """Has a task, which its config begins with and a curriculum would set."""

    observation_space = Box(-1.0, 1.0, (2,), np.float32)
    action_space = Discrete(2)

    def __init__(self, config: dict[str, Any] | None = None) -> None:
        self._task = int((config or {}).get("task", FIRST_TASK))
        self._steps = 0

    def set_task(self, task: int) -> int:
        """Take another task; what it is now."""
        self._task = task
        return self._task

    def task(self) -> int:
        """What it is."""
        return self._task

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._steps = 0
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._steps += 1
        return self.observation_space.sample(), 1.0, self._steps >= 10, False, {}


def ppo(runners: int = 0, **training: Any) -> Any:
    """A config of PPO whose iterations take a fraction of a second."""
    from ray.rllib.algorithms.ppo import PPOConfig

    torch.set_num_threads(1)
    sizes = {"train_batch_size_per_learner": 200, "minibatch_size": 100, "num_epochs": 1}
    return (
        PPOConfig()
        .environment(TaskEnv)
        .env_runners(num_env_runners=runners, num_cpus_per_env_runner=0.5)
        .rl_module(model_config={"fcnet_hiddens": [16]})
        .training(**{**sizes, **training})
    )


def sac() -> Any:
    """A config of SAC, on gymnasium's Pendulum."""
    from ray.rllib.algorithms.sac import SACConfig

    torch.set_num_threads(1)
    return (
        SACConfig()
        .environment("Pendulum-v1")
        .env_runners(num_env_runners=0)
        .rl_module(model_config={"fcnet_hiddens": [16], "head_fcnet_hiddens": [16]})
        .training(
            num_steps_sampled_before_learning_starts=100,
            train_batch_size_per_learner=32,
            replay_buffer_config={"type": "EpisodeReplayBuffer", "capacity": 10_000},
        )
    )


def learner(algorithm: Any, look: Callable[[Any], Any]) -> Any:
    """What ``look`` sees in the learner."""
    [answer] = algorithm.learner_group.foreach_learner(look)
    return answer.get()


def runners(algorithm: Any, look: Callable[[Any], Any]) -> list[Any]:
    """What ``look`` sees in each env runner that answers."""
    group = algorithm.env_runner_group
    local = group.num_remote_env_runners() == 0
    answers: list[Any] = group.foreach_env_runner(look, local_env_runner=local)
    return answers


def tasks(algorithm: Any) -> list[int]:
    """The task that the env of each env runner has."""
    return [task for each in runners(algorithm, _tasks) for task in each]


def set_tasks(algorithm: Any, task: int) -> None:
    """Give the env of each env runner another task."""
    runners(algorithm, lambda runner: list(runner.env.unwrapped.call("set_task", task)))


def learner_weights(algorithm: Any) -> Weights:
    """The weights that the learner goes on from."""
    found: Weights = learner(algorithm, lambda each: _plain(each.module[MODULE]))
    return found


def runner_weights(algorithm: Any) -> list[Weights]:
    """The weights that each env runner acts with."""
    return runners(algorithm, lambda runner: _plain(runner.module))


def equal(one: Weights, other: Weights) -> bool:
    """Whether they agree; runners have no part that is only for learning."""
    names = one.keys() & other.keys()
    return bool(names) and all(np.array_equal(one[name], other[name]) for name in names)


def _tasks(runner: Any) -> list[int]:
    return list(runner.env.unwrapped.call("task"))


def _plain(module: Any) -> Weights:
    return {name: value.detach().numpy().copy() for name, value in module.state_dict().items()}
