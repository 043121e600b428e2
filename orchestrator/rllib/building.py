"""Building an Algorithm whose envs draw levels, and giving a live one other hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.env import INPUT_ENV_SPACES
from ray.tune.registry import register_env

from orchestrator import searched, seeding
from orchestrator.level_env import EnvSetup, make_level_env
from orchestrator.rllib.level_scores import ask_for_scores, asked_for, keep_scores
from orchestrator.rllib.processes import RunnerCallbacks, each_learner, each_runner, seed_process
from orchestrator.rllib.promises import SYNCHRONOUS
from orchestrator.rllib.weights import push_weights

ENV_NAME = "envolve"
_IN_FLIGHT = 100


def as_member(config: AlgorithmConfig) -> AlgorithmConfig:
    """``config`` with the defaults of a member, where RLlib's do not suit a population.

    Whole populations share the machine: a member samples in its own process unless told to
    have env runners (PPO's own default are two more processes for each member). And the clock
    does not decide how much an iteration trains, as it does in SAC's defaults.
    """
    if config.min_time_s_per_iteration:
        config.reporting(min_time_s_per_iteration=0)
    return config.env_runners(num_env_runners=0)


def configure(
    config: AlgorithmConfig,
    setup: EnvSetup,
    *,
    multi_agent: bool,
    evaluation_envs: int,
    level_scores: bool = False,
) -> AlgorithmConfig:
    """A copy of ``config`` whose envs draw levels, with an idle runner group for the suites.

    Env-runner restarts are off: a restarted runner would train on with its first
    distribution. A lost one fails the iteration, and the member goes back to its last
    boundary. Nor does an iteration go on without a runner that is late: RLlib drops its
    episodes after 60 s, its connectors' state after 10 s, and on a busy machine another run
    would come of it.

    Args:
        level_scores: whether finished episodes get scores from the value function.

    Raises:
        ValueError: if they are to, and `scores_levels` says that they cannot.
    """
    config = config.copy(copy_frozen=False)
    # RLlib builds policies in this order, and may have made it from a set: then every process
    # would have another order, and from the same seed other first weights.
    config.policies = dict(sorted(config.policies.items()))
    if level_scores:
        ask_for_scores(config)
    env_config = {"setup": setup, "multi_agent": multi_agent}
    config.environment(env=ENV_NAME, env_config=env_config)
    config.callbacks(RunnerCallbacks)
    config.env_runners(sample_timeout_s=None)
    config.sync_filters_on_rollout_workers_timeout_s = None
    if config.algo_class in SYNCHRONOUS:
        # RLlib drops what it sends (weights, connectors' state) to a runner that has not
        # answered yet. Where each sample is waited for, no more than a few are under way.
        config.env_runners(max_requests_in_flight_per_env_runner=_IN_FLIGHT)
    config.fault_tolerance(
        restart_failed_env_runners=False,
        ignore_env_runner_failures=False,
        restart_failed_sub_environments=False,
    )
    config.evaluation(
        # Never reached: RLlib's own evaluation would not play each level its own number of
        # times. None instead of a number would not create the runner group at all.
        evaluation_interval=10**9,
        evaluation_num_env_runners=0,
        evaluation_config=AlgorithmConfig.overrides(
            num_envs_per_env_runner=evaluation_envs,
            gym_env_vectorize_mode="sync",
            explore=False,
        ),
    )
    return config


def build(
    config: AlgorithmConfig, hyperparameters: Mapping[str, Any], *key: str | int
) -> Algorithm:
    """Build an Algorithm with these ``training`` values; ``key`` decides its first weights."""
    register_env(ENV_NAME, make_level_env)
    torch.set_num_threads(1)
    seed_process(seeding.seed(*key, "weights"))
    algorithm = _with_training(config, hyperparameters).build_algo()
    _keep_scores(algorithm)
    push_weights(algorithm)
    return algorithm


def reconfigure(
    algorithm: Algorithm, config: AlgorithmConfig, hyperparameters: Mapping[str, Any]
) -> None:
    """Give a live Algorithm other values in its ``training`` section, keeping its env runners.

    Learner and modules are built anew (fresh weights: a `restore` has to follow), because
    optimizers, schedules, losses and exploration read the config when they are built.
    """
    changed = _with_training(config, hyperparameters)
    changed.validate()
    spaces = {INPUT_ENV_SPACES: (changed.observation_space, changed.action_space)}
    spec = changed.get_multi_rl_module_spec(spaces=spaces | algorithm.spaces, inference_only=False)
    algorithm.learner_group.shutdown()
    algorithm.learner_group = changed.build_learner_group(rl_module_spec=spec)
    changed.freeze()
    algorithm.config = changed
    _keep_scores(algorithm)

    def take(runner: Any) -> None:
        runner.config = changed
        runner.make_module()

    each_runner(algorithm, take)
    if algorithm.env_runner is not None:
        take(algorithm.env_runner)


def _keep_scores(algorithm: Algorithm) -> None:
    """Have learners that were just built score levels, if their config asks for it."""
    if asked_for(algorithm.config):
        each_learner(algorithm, keep_scores)


def _with_training(config: AlgorithmConfig, hyperparameters: Mapping[str, Any]) -> AlgorithmConfig:
    config = config.copy(copy_frozen=False)
    for_all = searched.of_training(hyperparameters)
    if for_all:
        config.training(**for_all)
    by_policy = searched.of_policies(hyperparameters)
    if by_policy:
        given = config.algorithm_config_overrides_per_module
        changed = {name: {**given.get(name, {}), **own} for name, own in by_policy.items()}
        config.multi_agent(algorithm_config_overrides_per_module={**given, **changed})
    return config
