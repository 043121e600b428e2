"""A stock config in the words of an experiment file, and what no file can say."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.dqn import DQNConfig
from ray.rllib.algorithms.ppo import PPO, PPOConfig
from ray.rllib.algorithms.sac import SACConfig
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.tune.registry import register_env
from rllib_catalogue import ByMethod, Pair, one_policy

from experiments.envs.cartpole import CartPole
from orchestrator.rllib import as_member
from orchestrator.rllib.describing import Description, describe


def described(config: AlgorithmConfig) -> Description:
    return describe(config, config.algo_class)


def test_what_differs_from_the_defaults_is_told() -> None:
    config = PPOConfig().environment("CartPole-v1").env_runners(num_env_runners=3)
    config.training(lr=np.float64(0.01), lambda_=0.9, train_batch_size_per_learner=512)
    config.training(entropy_coeff=[(0, 0.01), (1000, 0.0)])
    config.rl_module(model_config=DefaultModelConfig(fcnet_hiddens=[8], vf_share_layers=False))
    config.debugging(seed=3).fault_tolerance(restart_failed_env_runners=False)
    found = described(config)
    assert found.env == {"id": "CartPole-v1", "config": {}}
    assert found.algorithm == {
        "name": "PPO",
        "training": {
            "lr": 0.01,
            "lambda_": 0.9,
            "train_batch_size_per_learner": 512,
            "entropy_coeff": [[0, 0.01], [1000, 0.0]],
        },
        "env_runners": {"num_env_runners": 3},
        "rl_module": {"model_config": {"fcnet_hiddens": [8], "vf_share_layers": False}},
    }
    assert found.untold == ()


@pytest.mark.parametrize(
    ("config", "name"), [(PPOConfig(), "PPO"), (DQNConfig(), "DQN"), (SACConfig(), "SAC")]
)
def test_defaults_are_left_out_whatever_rllib_checked(config: AlgorithmConfig, name: str) -> None:
    env = "Pendulum-v1" if name == "SAC" else "CartPole-v1"
    config = as_member(config.environment(env))
    config.validate()
    found = described(config)
    assert found.algorithm == {"name": name}
    assert found.untold == ()


def test_the_former_name_of_the_batch_size_counts() -> None:
    config = PPOConfig().environment("CartPole-v1").training(train_batch_size=640)
    assert described(config).algorithm["training"] == {"train_batch_size_per_learner": 640}


def test_envs_are_named_so_that_another_process_finds_them() -> None:
    register_env("stock pole", CartPole)
    gymnasium.register("Elsewhere-v0", entry_point="rllib_catalogue:ByMethod")
    try:
        names = {
            each: described(PPOConfig().environment(each, env_config={"n": (1, 2)})).env
            for each in (ByMethod, "stock pole", "experiments.envs.cartpole.CartPole")
        }
        elsewhere = described(PPOConfig().environment("Elsewhere-v0")).env["id"]
    finally:
        del gymnasium.registry["Elsewhere-v0"]
    assert [env["id"] for env in names.values()] == [
        "rllib_catalogue:ByMethod",
        "experiments.envs.cartpole:CartPole",
        "experiments.envs.cartpole:CartPole",
    ]
    assert all(env["config"] == {"n": [1, 2]} for env in names.values())
    assert elsewhere == "rllib_catalogue:Elsewhere-v0"


def test_agents_that_share_a_policy_need_no_mapping() -> None:
    config = PPOConfig().environment(Pair)
    config.multi_agent(policies={"shared"}, policy_mapping_fn=lambda agent, *a, **k: "shared")
    found = described(config)
    assert found.algorithm["multi_agent"] == {"policies": ["shared"]}
    assert found.untold == ()


def test_functions_of_modules_are_named() -> None:
    config = PPOConfig().environment(Pair).env_runners(env_to_module_connector=one_policy)
    config.multi_agent(policies={"shared", "other"}, policy_mapping_fn=one_policy)
    found = described(config)
    assert found.algorithm["multi_agent"] == {
        "policies": ["other", "shared"],
        "policy_mapping_fn": "rllib_catalogue:one_policy",
    }
    told = found.algorithm["env_runners"]["env_to_module_connector"]
    assert told == "rllib_catalogue:one_policy"
    assert found.untold == ()


class _Own(RLlibCallback):  # type: ignore[misc]
    pass


class _OwnPPO(PPO):  # type: ignore[misc]
    pass


def _local_env() -> Any:
    class Local(ByMethod):
        pass

    return Local


def _from_a_script() -> Any:
    made = type("Scripted", (ByMethod,), {})
    made.__module__ = "__main__"
    return made


@pytest.mark.parametrize(
    ("config", "untold"),
    [
        (PPOConfig().environment(_local_env()), "env.id: _local_env.<locals>.Local of"),
        (
            PPOConfig().environment(_from_a_script()),
            "env.id: Scripted is defined in the script itself",
        ),
        (PPOConfig(), "env.id: there must be an env"),
        (
            PPOConfig().environment("CartPole-v1", env_config={"size": float("inf")}),
            "env.config.size: inf is no number",
        ),
        (
            PPOConfig().environment("CartPole-v1", env_config={"size": object()}),
            "env.config.size: a value of type object cannot be written down",
        ),
        (
            PPOConfig()
            .environment("CartPole-v1")
            .env_runners(env_to_module_connector=lambda *a, **k: None),
            "algorithm.env_runners.env_to_module_connector: <lambda> of",
        ),
        (
            PPOConfig().environment("CartPole-v1").callbacks(_Own),
            "callbacks: a file has none",
        ),
        (
            PPOConfig().environment("CartPole-v1").callbacks(on_train_result=print),
            "callbacks: a file has none",
        ),
        (
            PPOConfig(algo_class=_OwnPPO).environment("CartPole-v1"),
            "algorithm.name: _OwnPPO with a PPOConfig must be one of RLlib's own",
        ),
    ],
)
def test_what_no_file_can_say_is_listed(config: AlgorithmConfig, untold: str) -> None:
    (found,) = described(config).untold
    assert found.startswith(untold)
