"""Which configs are promised to resume bit-identically, and why the others are not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.dqn import DQN
from ray.rllib.algorithms.impala import IMPALA
from ray.rllib.algorithms.ppo import PPO
from ray.rllib.algorithms.sac import SAC

SYNCHRONOUS = (PPO, DQN, SAC)
# The conformance test, tests/orchestrator/test_exactness.py, runs with these.
_BUFFERS = ("EpisodeReplayBuffer", "PrioritizedEpisodeReplayBuffer")


def exactness_gaps(config: AlgorithmConfig) -> list[str]:
    """Why a synchronous run with this config may not resume bit-identically; empty: it does.

    What the conformance test covers is promised, and nothing beyond it. A user's own modules
    and connectors are taken at their word: that their state is what ``get_state`` returns, and
    that they draw from the generators of Python, numpy and torch.
    """
    checks: Sequence[Callable[[AlgorithmConfig], Iterator[str]]] = (
        _algorithm,
        _learners,
        _optimizers,
        _runners,
        _clock,
        _replay,
    )
    return [reason for check in checks for reason in check(config)]


def _algorithm(config: AlgorithmConfig) -> Iterator[str]:
    kind = config.algo_class
    if kind in SYNCHRONOUS:
        default = config.get_default_learner_class()
        if config.learner_class is not default:
            yield f"{_name(config.learner_class)}: no test shows that all its state is saved"
    elif isinstance(kind, type) and issubclass(kind, IMPALA):
        yield (
            f"{_name(kind)}: its env runners sample asynchronously, so no two runs of it are alike"
        )
    else:
        tested = ", ".join(_name(each) for each in SYNCHRONOUS)
        yield f"{_name(kind)}: no test shows that all its state is saved (tested: {tested})"
    if config.is_offline:
        yield "offline data: where the reading of it stood is not saved"


def _learners(config: AlgorithmConfig) -> Iterator[str]:
    if config.num_learners > 0:
        yield f"num_learners={config.num_learners}: learners in processes of their own are untested"
    if config.num_gpus_per_learner > 0 or config.num_gpus_per_env_runner > 0:
        yield "GPUs: sums of theirs may differ from run to run"
    if config.torch_compile_learner or config.torch_compile_worker:
        yield "torch.compile: compiled anew, a net may round differently"
    if config._learner_connector is not None:
        yield "learner_connector: its state is not in RLlib's checkpoints"


def _optimizers(config: AlgorithmConfig) -> Iterator[str]:
    if config._torch_grad_scaler_class is not None:
        yield "torch gradient scaler: its state is not in RLlib's checkpoints"
    if config._torch_lr_scheduler_classes is not None:
        yield "torch learning-rate schedulers: their state is not in RLlib's checkpoints"


def _runners(config: AlgorithmConfig) -> Iterator[str]:
    mode = str(getattr(config.gym_env_vectorize_mode, "value", config.gym_env_vectorize_mode))
    if mode != "sync":
        yield f"gym_env_vectorize_mode={mode}: sub-envs in processes of their own are untested"
    if config.use_env_runner_state_server:
        yield "use_env_runner_state_server: env runners take their weights when it suits them"
    if config.num_env_runners > 0:
        if not config.create_local_env_runner:
            yield "create_local_env_runner=False: untested"
        if not config.broadcast_env_runner_states or config.merge_env_runner_states is False:
            yield "env runners keep connectors' states of their own, which are not saved"


def _clock(config: AlgorithmConfig) -> Iterator[str]:
    least = config.min_time_s_per_iteration
    if least:
        yield (
            f"min_time_s_per_iteration={least}: the clock decides how much an iteration trains; "
            "0 would not"
        )


def _replay(config: AlgorithmConfig) -> Iterator[str]:
    buffer = getattr(config, "replay_buffer_config", None)
    if config.algo_class is PPO or not buffer:
        return
    kind = buffer.get("type")
    name = kind if isinstance(kind, str) else _name(kind)
    if name.rpartition(".")[2] not in _BUFFERS:
        yield f"{name}: no test shows that all its state is saved (tested: {', '.join(_BUFFERS)})"


def _name(kind: Any) -> str:
    return str(getattr(kind, "__name__", kind))
