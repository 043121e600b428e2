"""Which configs are promised to resume bit-identically, and what is said of the others."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.appo import APPOConfig
from ray.rllib.algorithms.bc import BCConfig
from ray.rllib.algorithms.dqn import DQNConfig
from ray.rllib.algorithms.dqn.torch.dqn_torch_learner import DQNTorchLearner
from ray.rllib.algorithms.impala import IMPALAConfig
from ray.rllib.algorithms.ppo import PPO, PPOConfig
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner
from ray.rllib.algorithms.sac import SACConfig
from ray.rllib.utils.replay_buffers.prioritized_episode_buffer import (
    PrioritizedEpisodeReplayBuffer,
)

from orchestrator.rllib.promises import exactness_gaps


class MyPPO(PPO):  # type: ignore[misc]
    """Somebody's own algorithm, which may keep what no test of ours saw."""


class MyLearner(PPOTorchLearner):  # type: ignore[misc]
    """Somebody's own learner."""


class MyBuffer(PrioritizedEpisodeReplayBuffer):  # type: ignore[misc]
    """Somebody's own replay buffer."""


def sac(**reporting: Any) -> AlgorithmConfig:
    return SACConfig().reporting(**{"min_time_s_per_iteration": 0, **reporting})


PROMISED: dict[str, Callable[[], AlgorithmConfig]] = {
    "ppo": PPOConfig,
    "ppo-remote": lambda: PPOConfig().env_runners(num_env_runners=2),
    "ppo-agents": lambda: PPOConfig().multi_agent(policies={"a", "b"}),
    "ppo-same-learner": lambda: PPOConfig().learners(learner_class=PPOTorchLearner),
    "dqn": DQNConfig,
    "dqn-plain-buffer": lambda: DQNConfig().training(
        replay_buffer_config={"type": "EpisodeReplayBuffer"}
    ),
    "dqn-buffer-class": lambda: DQNConfig().training(
        replay_buffer_config={"type": PrioritizedEpisodeReplayBuffer}
    ),
    "sac": sac,
}


@pytest.mark.parametrize("name", PROMISED)
def test_what_is_tested_is_promised(name: str) -> None:
    assert exactness_gaps(PROMISED[name]()) == []


GAPS: dict[str, tuple[Callable[[], AlgorithmConfig], str]] = {
    "impala": (IMPALAConfig, "IMPALA: its env runners sample asynchronously, so no two runs"),
    "appo": (APPOConfig, "APPO: its env runners sample asynchronously, so no two runs"),
    "bc": (BCConfig, r"BC: no test shows .* \(tested: PPO, DQN, SAC\)"),
    "subclass": (lambda: PPOConfig(algo_class=MyPPO), "MyPPO: no test shows"),
    "learner": (lambda: PPOConfig().learners(learner_class=MyLearner), "MyLearner: no test"),
    "other-learner": (lambda: PPOConfig().learners(learner_class=DQNTorchLearner), "DQNTorch"),
    "learners": (lambda: PPOConfig().learners(num_learners=1), "num_learners=1: learners in"),
    "gpu": (lambda: PPOConfig().learners(num_gpus_per_learner=1), "GPUs: "),
    "runner-gpu": (lambda: PPOConfig().env_runners(num_gpus_per_env_runner=0.5), "GPUs: "),
    "compiled": (
        lambda: PPOConfig().framework(torch_compile_learner=True),
        "torch.compile: ",
    ),
    "learner-connector": (
        lambda: PPOConfig().training(learner_connector=lambda *spaces: None),
        "learner_connector: ",
    ),
    "scaler": (
        lambda: PPOConfig().experimental(_torch_grad_scaler_class=int),
        "gradient scaler: ",
    ),
    "schedulers": (
        lambda: PPOConfig().experimental(_torch_lr_scheduler_classes=[int]),
        "learning-rate schedulers: ",
    ),
    "async-envs": (
        lambda: PPOConfig().env_runners(gym_env_vectorize_mode="async"),
        "gym_env_vectorize_mode=async: sub-envs in processes",
    ),
    "state-server": (
        lambda: PPOConfig().env_runners(use_env_runner_state_server=True),
        "use_env_runner_state_server: ",
    ),
    "own-states": (
        lambda: PPOConfig().env_runners(num_env_runners=2, merge_env_runner_states=False),
        "connectors' states of their own",
    ),
    "no-broadcast": (
        lambda: PPOConfig().env_runners(num_env_runners=2, broadcast_env_runner_states=False),
        "connectors' states of their own",
    ),
    "no-local-runner": (
        lambda: PPOConfig().env_runners(num_env_runners=2, create_local_env_runner=False),
        "create_local_env_runner=False: untested",
    ),
    "clock": (SACConfig, "min_time_s_per_iteration=1: the clock decides .* 0 would not"),
    "buffer": (
        lambda: DQNConfig().training(replay_buffer_config={"type": MyBuffer}),
        "MyBuffer: no test shows .*EpisodeReplayBuffer, PrioritizedEpisodeReplayBuffer",
    ),
    "agents-buffer": (
        lambda: sac().training(replay_buffer_config={"type": "MultiAgentEpisodeReplayBuffer"}),
        "MultiAgentEpisodeReplayBuffer: no test",
    ),
    "offline": (lambda: PPOConfig().offline_data(input_=["episodes"]), "offline data: "),
}


@pytest.mark.parametrize("name", GAPS)
def test_what_is_not_tested_is_not_promised(name: str) -> None:
    config, sentence = GAPS[name]
    gaps = exactness_gaps(config())
    assert [gap for gap in gaps if re.search(sentence, gap)], gaps


def test_every_reason_is_told() -> None:
    config = SACConfig().learners(num_learners=2).env_runners(gym_env_vectorize_mode="async")
    assert [gap.partition("=")[0] for gap in exactness_gaps(config)] == [
        "num_learners",
        "gym_env_vectorize_mode",
        "min_time_s_per_iteration",
    ]
