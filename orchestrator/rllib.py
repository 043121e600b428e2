"""The one place that knows RLlib's insides: build, push, reseed, save and restore an Algorithm.

Names of RLlib that begin with an underscore, or that no document promises, appear in this
module (and, for Tune, in ``tune.py``) alone; ``tests/orchestrator/test_ray_contract.py`` fails
by name when a Ray release moves one.
"""

from __future__ import annotations

import hashlib
import pickle
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.core import COMPONENT_LEARNER, COMPONENT_RL_MODULE
from ray.rllib.env import INPUT_ENV_SPACES
from ray.rllib.utils.metrics import ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME
from ray.tune.registry import register_env

from orchestrator import seeding
from orchestrator.distributions import Distribution
from orchestrator.episodes import Episode, EpisodeLog, drain
from orchestrator.level_env import EnvSetup, make_level_env
from orchestrator.levels import Play

T = TypeVar("T")

ENV_NAME = "envolve"
# Learner state that RLlib's checkpoints leave out: PPO's adaptive KL coefficient, SAC's
# temperature, and when the target networks were last updated.
_LEARNER_EXTRAS = ("curr_kl_coeffs_per_module", "curr_log_alpha", "last_update_ts_by_mid")
_ALGORITHM = "algorithm"
_EXTRAS = "extras.pkl"


class RestoreFailed(RuntimeError):
    """After a restore some process does not hold the checkpoint's weights."""


def configure(
    config: AlgorithmConfig, setup: EnvSetup, *, multi_agent: bool, evaluation_envs: int
) -> AlgorithmConfig:
    """A copy of ``config`` whose envs draw levels, with an idle runner group for the suites.

    Env-runner restarts are off: a restarted runner would train on with its first
    distribution. A lost one fails the iteration, and the member goes back to its last
    boundary.
    """
    config = config.copy(copy_frozen=False)
    env_config = {"setup": setup, "multi_agent": multi_agent}
    config.environment(env=ENV_NAME, env_config=env_config)
    config.callbacks([EpisodeLog])
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
    _seed_process(seeding.seed(*key, "weights"))
    algorithm = _with_training(config, hyperparameters).build_algo()
    push_weights(algorithm)
    return algorithm


def reconfigure(
    algorithm: Algorithm, config: AlgorithmConfig, hyperparameters: Mapping[str, Any]
) -> None:
    """Give a live Algorithm other values in its ``training`` section, keeping its env runners.

    The learner is built anew (fresh weights: a `restore` has to follow), because optimizers,
    schedules and losses read the config when they are built.
    """
    changed = _with_training(config, hyperparameters)
    changed.validate()
    spaces = {INPUT_ENV_SPACES: (changed.observation_space, changed.action_space)}
    spec = changed.get_multi_rl_module_spec(
        spaces=spaces | algorithm.spaces, inference_only=False
    )
    algorithm.learner_group.shutdown()
    algorithm.learner_group = changed.build_learner_group(rl_module_spec=spec)
    changed.freeze()
    algorithm.config = changed

    def take(runner: Any) -> None:
        runner.config = changed

    each_runner(algorithm, take)
    if algorithm.env_runner is not None:
        take(algorithm.env_runner)


def _with_training(
    config: AlgorithmConfig, hyperparameters: Mapping[str, Any]
) -> AlgorithmConfig:
    config = config.copy(copy_frozen=False)
    if hyperparameters:
        config.training(**hyperparameters)
    return config


def push_distribution(
    algorithm: Algorithm, distribution: Distribution, revision: int
) -> tuple[int, ...]:
    """Give every sub-env of every training runner a distribution; returns what each now holds.

    Raises:
        RuntimeError: if a runner is gone or a sub-env does not hold the revision afterwards.
    """

    def push(runner: Any) -> list[int]:
        return list(runner.env.unwrapped.call("set_distribution", distribution, revision))

    held = [number for numbers in each_runner(algorithm, push) for number in numbers]
    if set(held) != {revision}:
        raise RuntimeError(f"every sub-env must hold revision {revision}, but they hold {held}")
    return tuple(held)


def drain_episodes(algorithm: Algorithm) -> list[Episode]:
    """Episodes that the training runners finished since the last call."""
    return [episode for log in each_runner(algorithm, drain) for episode in log]


def each_runner(algorithm: Algorithm, function: Callable[[Any], T]) -> list[T]:
    """Call ``function`` with each training runner in its own process; an answer from every one.

    Raises:
        RuntimeError: if a runner did not answer. RLlib drops such answers silently.
    """
    group = algorithm.env_runner_group
    remote = group.num_remote_env_runners()
    answers: list[T] = group.foreach_env_runner(
        function, local_env_runner=remote == 0, healthy_only=False
    )
    expected = remote or 1
    if len(answers) != expected:
        raise RuntimeError(f"{expected} env runners must answer, but {len(answers)} did")
    return answers


def env_steps(algorithm: Algorithm) -> int:
    """Env steps that the training runners have sampled, over the Algorithm's lifetime."""
    key = (ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME)
    return int(algorithm.metrics.peek(key, default=0))


def reseed(algorithm: Algorithm, *key: str | int) -> None:
    """Seed everything that draws in this Algorithm from ``key``, and reset its envs.

    Sub-env i of worker w starts from ``seed(key, worker w) + i``; episodes under way are cut
    off. After it, two Algorithms with equal state do the same.
    """

    def reseed_runner(runner: Any) -> None:
        worker = runner.worker_index or 0
        runner._seed = seeding.seed(*key, "worker", worker)
        runner._needs_initial_reset = True
        _seed_process(seeding.seed(*key, "sampling", worker))
        drain(runner)

    def reseed_learner(learner: Any) -> None:
        _seed_process(seeding.seed(*key, "learning"))

    each_runner(algorithm, reseed_runner)
    _each_learner(algorithm, reseed_learner)
    # Last, because a local runner and a local learner share this process.
    _seed_process(seeding.seed(*key, "process"))
    buffer: Any = getattr(algorithm, "local_replay_buffer", None)
    if hasattr(buffer, "rng"):
        buffer.rng = seeding.generator(*key, "replay")


def play(algorithm: Algorithm, plays: Sequence[Play]) -> tuple[list[Episode], int]:
    """Play a suite on the evaluation runner with the deterministic policy.

    Slot i plays entries i, i+n, ...; a slot that is done repeats its last entry, uncounted,
    until all are.

    Returns:
        The episodes in the suite's order, and the env steps that it took, fillers included.
    """
    runner = algorithm.eval_env_runner
    push_weights(algorithm)
    envs = runner.env.unwrapped.envs
    for slot, env in enumerate(envs):
        env.get_wrapper_attr("schedule")(plays[slot :: len(envs)] or plays[-1:])
    drain(runner)
    runner._needs_initial_reset = True
    finished: dict[int, Episode] = {}
    steps = 0
    while len(finished) < len(plays):
        chunks = runner.sample(num_timesteps=32 * len(envs), explore=False)
        steps += sum(chunk.env_steps() for chunk in chunks)
        for episode in drain(runner):
            if episode.play is not None:
                finished.setdefault(episode.play, episode)
    runner.get_metrics()  # RLlib keeps the episodes for its metrics until this is called.
    return [finished[play.index] for play in plays], steps


def save(algorithm: Algorithm, directory: Path) -> None:
    """Write the Algorithm's whole state under ``directory``: RLlib's part and what it forgets."""
    algorithm.save_to_path(str(directory / _ALGORITHM))
    extras: dict[str, Any] = {"learners": _each_learner(algorithm, _learner_extras)}
    buffer = getattr(algorithm, "local_replay_buffer", None)
    if buffer is not None:
        extras["replay_buffer"] = buffer.get_state()
    with open(directory / _EXTRAS, "wb") as file:
        pickle.dump(extras, file)


def restore(algorithm: Algorithm, directory: Path) -> None:
    """Load what `save` wrote, into learner, training runners and evaluation runner.

    Learning rates are what the Algorithm's own config says, and not those of the checkpoint.

    Raises:
        RestoreFailed: if one of them does not hold the checkpoint's weights afterwards.
    """
    algorithm.restore_from_path(str(directory / _ALGORITHM))
    with open(directory / _EXTRAS, "rb") as file:
        extras = pickle.load(file)
    learners = extras["learners"]

    def load(learner: Any) -> None:
        _load_learner_extras(learner, learners[0])

    _each_learner(algorithm, load)
    if "replay_buffer" in extras:
        buffer = algorithm.local_replay_buffer
        # A buffer that has episodes keeps them, and takes the others' indices.
        buffer.episodes.clear()
        buffer.set_state(extras["replay_buffer"])
    _apply_learning_rates(algorithm)
    push_weights(algorithm)
    check_weights(algorithm)


def push_weights(algorithm: Algorithm) -> None:
    """Bring the learner's weights and the connectors' state to every runner of both groups.

    RLlib's own sync is asynchronous, and a runner ignores weights whose sequence number is
    not higher than its own; so this one waits, and leaves the number out first.
    """
    weights = _learner_weights(algorithm)
    number = _each_learner(algorithm, lambda learner: int(learner._weights_seq_no))[0]
    state: dict[str, Any] = {COMPONENT_RL_MODULE: weights}
    local = algorithm.env_runner
    if local is not None:
        state |= local.get_state(not_components=[COMPONENT_RL_MODULE])

    def load(runner: Any) -> None:
        runner.set_state(state)
        runner._weights_seq_no = number

    each_runner(algorithm, load)
    if local is not None:
        load(local)
    evaluation = algorithm.eval_env_runner
    if evaluation is not None:
        load(evaluation)


def check_weights(algorithm: Algorithm) -> str:
    """Compare weights digests of learner, training runners and evaluation runner; returns it.

    Raises:
        RestoreFailed: if one differs.
    """
    expected = weights_digest(algorithm)

    def digest(runner: Any) -> str:
        return _digest(_module_weights(runner))

    found = {f"env runner {i}": d for i, d in enumerate(each_runner(algorithm, digest))}
    if algorithm.eval_env_runner is not None:
        found["evaluation runner"] = digest(algorithm.eval_env_runner)
    wrong = [where for where, value in found.items() if value != expected]
    if wrong:
        raise RestoreFailed(f"must hold the learner's weights, but do not: {', '.join(wrong)}")
    return expected


def weights_digest(algorithm: Algorithm) -> str:
    """SHA-256 of the learner's weights (those that acting needs), as hex."""
    return _digest(_learner_weights(algorithm))


def effective_lr(algorithm: Algorithm) -> tuple[float, ...]:
    """Learning rates that the optimizers of the first learner will use next."""

    def rates(learner: Any) -> list[float]:
        return [
            float(group["lr"])
            for optimizer in learner._named_optimizers.values()
            for group in optimizer.param_groups
        ]

    return tuple(_each_learner(algorithm, rates)[0])


def _apply_learning_rates(algorithm: Algorithm) -> None:
    """Set every optimizer's learning rate to what its schedule says; RLlib does after an update."""
    steps = env_steps(algorithm)

    def load(learner: Any) -> None:
        for optimizer, schedule in learner._optimizer_lr_schedules.items():
            learner._set_optimizer_lr(optimizer, lr=schedule.update(timestep=steps))

    _each_learner(algorithm, load)


def learner_metrics(result: Mapping[str, Any]) -> dict[str, float]:
    """Numbers that the learner reported for each module, as ``learner/<module>/<name>``."""
    found: dict[str, float] = {}
    for module, metrics in result.get("learners", {}).items():
        if isinstance(metrics, Mapping):
            for name, value in metrics.items():
                if isinstance(value, int | float | np.number):
                    found[f"learner/{module}/{name}"] = float(value)
    return found


def _each_learner(algorithm: Algorithm, function: Callable[[Any], T]) -> list[T]:
    answers = algorithm.learner_group.foreach_learner(function)
    return [answer.get() for answer in answers]


def _learner_weights(algorithm: Algorithm) -> Any:
    state = algorithm.learner_group.get_state(
        components=f"{COMPONENT_LEARNER}/{COMPONENT_RL_MODULE}", inference_only=True
    )
    return state[COMPONENT_LEARNER][COMPONENT_RL_MODULE]


def _module_weights(runner: Any) -> Any:
    state = runner.module.get_state(inference_only=True)
    nested = all(isinstance(value, Mapping) for value in state.values())
    return state if nested else {"default_policy": state}


def _digest(weights: Any) -> str:
    digest = hashlib.sha256()

    def add(path: str, node: Any) -> None:
        if isinstance(node, Mapping):
            for key in sorted(node):
                add(f"{path}/{key}", node[key])
        else:
            digest.update(path.encode())
            digest.update(np.ascontiguousarray(np.asarray(node)).tobytes())

    add("", weights)
    return digest.hexdigest()


def _learner_extras(learner: Any) -> dict[str, dict[str, float]]:
    found = {}
    for name in _LEARNER_EXTRAS:
        values = getattr(learner, name, None)
        if values is not None:
            found[name] = {str(key): float(_plain(value)) for key, value in values.items()}
    return found


def _plain(value: Any) -> Any:
    return value.detach() if isinstance(value, torch.Tensor) else value


def _load_learner_extras(learner: Any, extras: Mapping[str, Mapping[str, float]]) -> None:
    for name, values in extras.items():
        present = getattr(learner, name)
        for module_id, value in values.items():
            if isinstance(present[module_id], torch.Tensor):
                present[module_id].data.fill_(value)
            else:
                present[module_id] = int(value)


def _seed_process(number: int) -> None:
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002 - RLlib draws from the global generators.
    torch.manual_seed(number)
