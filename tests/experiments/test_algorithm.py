from __future__ import annotations

import inspect
import logging
import pickle
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.registry import ALGORITHMS

from experiments.algorithm import build_config, check_algorithms
from experiments.annotations import Misfit, fitted
from experiments.loading import parse_experiment
from experiments.policies import OnePolicy, own_policy
from experiments.problems import BadInput
from experiments.rllib_keys import OWNED, SECTIONS, keys_of

ONLINE = ("APPO", "DQN", "IMPALA", "PPO", "SAC")

USERS = """\
import gymnasium
import numpy as np
from ray.rllib.env.multi_agent_env import MultiAgentEnv

BOX = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)

class Team(MultiAgentEnv):
    def __init__(self, config=None):
        super().__init__()
        self.possible_agents = self.agents = ["left", "right"]
        self.observation_spaces = {name: BOX for name in self.agents}
        self.action_spaces = {name: gymnasium.spaces.Discrete(2) for name in self.agents}

def by_side(agent, episode, **kwargs):
    return {"left": "a", "right": "b"}[agent]

def to_nobody(agent, episode, **kwargs):
    return "nobody"

def failing(agent, episode, **kwargs):
    return {}[agent]

def connector(*args, **kwargs):
    raise AssertionError("not called when a file is read")
"""


@pytest.fixture(scope="module", autouse=True)
def users(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A directory with a user's module, from which the whole module runs."""
    place = tmp_path_factory.mktemp("users")
    (place / "users_team.py").write_text(USERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr(sys, "path", [*sys.path])
        yield place
    sys.modules.pop("users_team", None)


def text_of(algorithm: str, env: str = "CartPole", rest: str = "") -> str:
    return (
        f"envolve: 1\nname: x\nstop: {{iterations: 8}}\nenv: {{id: '{env}'}}\n"
        f"algorithm:\n{algorithm}{rest}"
    )


def configured(algorithm: str, env: str = "CartPole") -> AlgorithmConfig:
    return check_algorithms(parse_experiment(text_of(algorithm, env), "f.yaml"))["main"]


def said(algorithm: str, env: str = "CartPole", rest: str = "") -> list[str]:
    with pytest.raises(BadInput) as caught:
        check_algorithms(parse_experiment(text_of(algorithm, env, rest), "f.yaml"))
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("name", ONLINE)
def test_each_online_algorithm_is_made(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    config = configured(f"  name: {name}\n")
    assert config.algo_class is not None
    assert config.algo_class.__name__ == name
    assert config.framework_str == "torch"
    assert config.env is None
    assert capfd.readouterr() == ("", "")


def test_the_online_algorithms_are_all_that_rllib_has() -> None:
    assert set(ALGORITHMS) == {*ONLINE, "BC", "CQL", "DreamerV3", "IQL", "MARWIL"}


def test_sections_reach_rllib() -> None:
    config = configured("""\
  name: PPO
  training: {lr: 1, gamma: 0.9, minibatch_size: 64, entropy_coeff: [[0, 0.1], [100, 0]]}
  env_runners: {num_envs_per_env_runner: 3, gym_env_vectorize_mode: ASYNC}
  learners: {num_learners: 1}
  rl_module: {model_config: {fcnet_hiddens: [32], vf_share_layers: true}}
  framework: {framework: torch, torch_skip_nan_gradients: true}
  reporting: {min_time_s_per_iteration: null}
  debugging: {log_level: ERROR}
  fault_tolerance: {env_runner_health_probe_timeout_s: 10}
  experimental: {_torch_lr_scheduler_classes: ["torch.optim.lr_scheduler:ExponentialLR"]}
""")
    import torch

    assert (config.lr, config.gamma, config.minibatch_size) == (1.0, 0.9, 64)
    assert isinstance(config.lr, float)
    assert config.entropy_coeff == [[0, 0.1], [100, 0]]
    assert config.num_envs_per_env_runner == 3
    assert config.gym_env_vectorize_mode == "async"
    assert config.num_learners == 1
    assert config.model_config == {"fcnet_hiddens": [32], "vf_share_layers": True}
    assert config.torch_skip_nan_gradients is True
    assert config.log_level == "ERROR"
    assert config.env_runner_health_probe_timeout_s == 10.0
    assert config._torch_lr_scheduler_classes == [torch.optim.lr_scheduler.ExponentialLR]


def test_lists_become_the_tuples_that_rllib_wants() -> None:
    config = configured("  name: DQN\n  training: {n_step: [1, 5], hiddens: [32]}\n")
    assert config.n_step == (1, 5)
    assert config.hiddens == [32]


def test_functions_and_classes_are_references() -> None:
    config = configured("  env_runners: {env_to_module_connector: 'users_team:connector'}\n")
    assert config._env_to_module_connector.__name__ == "connector"


HOLD = [
    "  training: {lr: [[0, 0.001], [1000000, 1e-4]]}\n",
    "  training: {grad_clip: 10, vf_clip_param: .inf, grad_clip_by: value}\n",
    "  training: {train_batch_size_per_learner: 256, minibatch_size: 256}\n",
    "  env_runners: {rollout_fragment_length: auto, batch_mode: complete_episodes}\n",
    "  env_runners: {num_gpus_per_env_runner: 0.1, sample_timeout_s: 5}\n",
    "  rl_module: {model_config: {conv_filters: [[16, 4, 2], [32, [3, 3], 1]], use_lstm: true}}\n",
    "  rl_module: {algorithm_config_overrides_per_module: {default_policy: {lr: 0.1}}}\n",
    "  search: {lr: {low: 1e-4, high: 1e-2, scale: log}, gamma: {choices: [0.9, 1]}}\n",
    "  search: {num_epochs: {low: 1, high: 8, integer: true}}\n",
    "  training: {lr: 0.1}\n  search: {lr: {low: 1e-4, high: 1e-2}}\n",
    "  search: {lr: {choices: [0.1, [[0, 0.1], [100, 0.01]]]}}\n",
    "  name: SAC\n  training: {actor_lr: 1e-4, target_entropy: auto, n_step: 3}\n",
    "  name: DQN\n  training: {epsilon: [[0, 1.0], [100, 0.1]], grad_clip: 10}\n",
    "  name: DQN\n  training: {replay_buffer_config: {type: EpisodeReplayBuffer, capacity: 9}}\n",
    "  name: APPO\n  training: {vtrace: true, broadcast_interval: 2, simple_queue_size: 4}\n",
    "  name: IMPALA\n  learners: {num_aggregator_actors_per_learner: 1}\n",
]


@pytest.mark.parametrize("algorithm", HOLD)
def test_sections_that_hold(algorithm: str, capfd: pytest.CaptureFixture[str]) -> None:
    configured(algorithm)
    assert capfd.readouterr() == ("", "")


# Algorithm; place and key; what must hold; what else is said.
BROKEN = [
    # Names.
    ("  name: ppo\n", "6:3: algorithm.name", "must be one of RLlib's", '"PPO"?'),
    ("  name: IMPLA\n", "6:3: algorithm.name", "must be one of RLlib's", '"IMPALA"?'),
    ("  name: td3\n", "6:3: algorithm.name", "must be one of RLlib's", "the nearest is SAC"),
    ("  name: CQL\n", "6:3: algorithm.name", "must be one of RLlib's", "learns offline"),
    ("  name: DreamerV3\n", "6:3: algorithm.name", "must be one of RLlib's", "not supported"),
    # Keys.
    (
        "  training: {clip_parm: 2.0}\n",
        "6:14: algorithm.training.clip_parm",
        "must be a key of algorithm.training",
        '"clip_param"?',
    ),
    (
        "  name: SAC\n  training: {clip_param: 2.0}\n",
        "7:14: algorithm.training.clip_param",
        "must be a key of algorithm.training",
        "",
    ),
    (
        "  env_runners:\n    num_env_runner: 2\n",
        "7:5: algorithm.env_runners.num_env_runner",
        "must be a key of algorithm.env_runners",
        '"num_env_runners"?',
    ),
    (
        "  learners: {num_learner: 2}\n",
        "6:14: algorithm.learners.num_learner",
        "must be a key of",
        '"num_learners"?',
    ),
    (
        "  training: {vf_share_layers: true}\n",
        "6:14: algorithm.training.vf_share_layers",
        "must be a key of algorithm.training that RLlib still has",
        "",
    ),
    # Keys that are not free.
    (
        "  env_runners: {num_cpus_per_env_runner: 2}\n",
        "6:17: algorithm.env_runners.num_cpus_per_env_runner",
        "must not be given",
        "resources.cpus_per_member",
    ),
    (
        "  env_runners: {observation_filter: MeanStdFilter}\n",
        "6:17: algorithm.env_runners.observation_filter",
        "must",
        "",
    ),
    (
        "  env_runners: {exploration_config: {type: Random}}\n",
        "6:17: algorithm.env_runners.exploration_config",
        "must not be given",
        "old API stack",
    ),
    (
        "  debugging: {fake_sampler: true}\n",
        "6:15: algorithm.debugging.fake_sampler",
        "must not be given",
        "no env at all",
    ),
    ("  debugging: {seed: 3}\n", "6:15: algorithm.debugging.seed", "must", "seeds: ["),
    (
        "  fault_tolerance: {restart_failed_sub_environments: true}\n",
        "6:21: algorithm.fault_tolerance.restart_failed_sub_environments",
        "must not be given",
        "lost its env distribution",
    ),
    (
        "  fault_tolerance: {restart_failed_env_runners: true}\n",
        "6:21: algorithm.fault_tolerance.restart_failed_env_runners",
        "must",
        "last boundary",
    ),
    (
        "  experimental: {_validate_config: false}\n",
        "6:18: algorithm.experimental._validate_config",
        "must not be given",
        "mid-run",
    ),
    (
        "  offline_data: {input_: [x]}\n",
        "6:3: algorithm.offline_data",
        "must be left out",
        "",
    ),
    ("  framework: {framework: tf2}\n", "6:15: algorithm.framework.framework", "must be torch", ""),
    # Values.
    (
        "  training: {lr: fast}\n",
        "6:14: algorithm.training.lr",
        "must be a number, a schedule like [[0, 0.001], [1000000, 0.0001]] or null",
        '"fast"',
    ),
    ("  training: {lr: '0.1'}\n", "6:14: algorithm.training.lr", "must be a number,", "quotes"),
    ("  training: {lr: -1}\n", "6:14: algorithm.training.lr", "must be a number of at least 0", ""),
    (
        "  training: {gamma: 99}\n",
        "6:14: algorithm.training.gamma",
        "must be a number from 0 to 1",
        "",
    ),
    (
        "  training: {num_epochs: 2.0}\n",
        "6:14: algorithm.training.num_epochs",
        "must be a whole number or null",
        "Write 2",
    ),
    (
        "  training: {use_gae: 1}\n",
        "6:14: algorithm.training.use_gae",
        "must be true or false or null",
        "",
    ),
    (
        "  env_runners: {num_envs_per_env_runner: 0}\n",
        "6:17: algorithm.env_runners.num_envs_per_env_runner",
        "must be a number of at least 1",
        "",
    ),
    (
        "  env_runners: {gym_env_vectorize_mode: vector_entry_point}\n",
        "6:17: algorithm.env_runners.gym_env_vectorize_mode",
        "must be sync or async",
        "",
    ),
    (
        "  env_runners: {batch_mode: half}\n",
        "6:17: algorithm.env_runners.batch_mode",
        "must be a value that RLlib takes",
        "complete_episodes",
    ),
    (
        "  training: {learner_class: 'nowhere:Thing'}\n",
        "6:14: algorithm.training.learner_class",
        "must be package.module:attribute or null",
        "no module nowhere",
    ),
    (
        "  training: {learner_class: 'users_team:by_side'}\n",
        "6:14: algorithm.training.learner_class",
        "must be package.module:attribute or null",
        "is no class",
    ),
    (
        "  rl_module: {model_config: {fcnet_hidden: [64]}}\n",
        "6:30: algorithm.rl_module.model_config.fcnet_hidden",
        "must be a key of RLlib's default model",
        '"fcnet_hiddens"?',
    ),
    (
        "  rl_module: {model_config: {fcnet_hiddens: 64}}\n",
        "6:30: algorithm.rl_module.model_config.fcnet_hiddens",
        "must be a list of whole numbers",
        "Write [64]",
    ),
    (
        "  rl_module: {algorithm_config_overrides_per_module: {shared: {lr: 0.1}}}\n",
        "6:55: algorithm.rl_module.algorithm_config_overrides_per_module.shared",
        "must be one of the policies default_policy",
        "",
    ),
    # RLlib's own checks.
    (
        "  training: {train_batch_size_per_learner: 64}\n",
        "6:14: algorithm.training.train_batch_size_per_learner",
        "must pass RLlib's own checks, but got `minibatch_size` (128) must be <=",
        "",
    ),
    (
        "  training: {use_gae: false}\n",
        "5:1: algorithm",
        "must pass RLlib's own checks, but got Episode truncation is not supported",
        "",
    ),
    (
        "  training: {lr: [[5, 0.1]]}\n",
        "6:14: algorithm.training.lr",
        "must pass RLlib's own checks, but got Invalid `lr`",
        "",
    ),
    (
        "  name: DQN\n  training: {td_error_loss_fn: foo}\n",
        "7:14: algorithm.training.td_error_loss_fn",
        "must pass RLlib's own checks",
        "'huber' or 'mse'",
    ),
    # Search.
    (
        "  search: {lrr: {low: 0.1, high: 0.2}}\n",
        "6:12: algorithm.search.lrr",
        "must be a key of algorithm.training",
        '"lr"?',
    ),
    (
        "  search: {num_epochs: {low: 1, high: 8}}\n",
        "6:12: algorithm.search.num_epochs",
        "must have integer: true",
        "{low: 1, high: 8, integer: true}",
    ),
    (
        "  search: {gamma: {low: 0.9, high: 1.5}}\n",
        "6:30: algorithm.search.gamma.high",
        "must be a number from 0 to 1",
        "",
    ),
    (
        "  search: {gamma: {choices: [0.9, high]}}\n",
        "6:35: algorithm.search.gamma.choices[1]",
        "must be a number or null",
        "",
    ),
    (
        "  search: {use_kl_loss: {choices: [true, false]}}\n",
        "6:12: algorithm.search.use_kl_loss",
        "must be a key that can change when a member copies another",
        "",
    ),
    (
        "  search: {minibatch_size: {low: 64, high: 8000, integer: true}}\n",
        "6:12: algorithm.search.minibatch_size",
        "must pass RLlib's own checks",
        '(with {"minibatch_size": 8000})',
    ),
    # Agents.
    (
        "  multi_agent: {policies: [a]}\n",
        "6:3: algorithm.multi_agent",
        "must be left out for an env of a single agent",
        "MultiAgentEnv",
    ),
]


@pytest.mark.parametrize(("algorithm", "place", "must", "also"), BROKEN)
def test_broken_sections(
    algorithm: str, place: str, must: str, also: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (problem,) = said(algorithm)
    assert problem.startswith(f"f.yaml:{place}: {must}")
    assert also in problem
    assert "\n" not in problem
    assert "suppress" not in problem
    assert capfd.readouterr() == ("", "")


def test_all_problems_of_all_arms_at_once() -> None:
    problems = said(
        "  training: {clip_parm: 1, lr: fast}\n  env_runners: {num_env_runner: 1}\n",
        rest="arms:\n  one: {algorithm: {name: Foo}}\n  two: {algorithm: {training: {gama: 1}}}\n",
    )
    keys = {problem.split(": ")[1] for problem in problems}
    assert keys == {
        "algorithm.training.clip_parm",
        "algorithm.training.lr",
        "algorithm.env_runners.num_env_runner",
        "arms.one.algorithm.name",
        "arms.two.algorithm.training.gama",
    }


def test_build_config_gives_a_config_or_problems() -> None:
    loaded = parse_experiment(text_of("  training: {gama: 1}\n"), "f.yaml")
    config, problems = build_config(loaded, "main")
    assert config is None
    assert [problem.key for problem in problems] == [("algorithm", "training", "gama")]


def test_loggers_are_left_as_they_were() -> None:
    logger = logging.getLogger("ray.rllib")
    before = logger.level
    configured("  name: PPO\n")
    assert logger.level == before


TEAM = "users_team:Team"


def test_agents_share_a_policy_unless_told_otherwise() -> None:
    config = configured("  name: PPO\n", TEAM)
    assert [*config.policies] == ["shared"]
    mapping = pickle.loads(pickle.dumps(config.policy_mapping_fn))
    assert mapping == OnePolicy("shared")
    assert mapping("left", None, worker=None) == "shared"
    assert config.is_multi_agent


@pytest.mark.parametrize("policies", ["[left, right]", "{left: {}, right: null}"])
def test_policies_named_like_the_agents_act_for_them(policies: str) -> None:
    config = configured(
        f"  multi_agent: {{policies: {policies}, policies_to_train: [left]}}\n", TEAM
    )
    assert {*config.policies} == {"left", "right"}
    assert config.policy_mapping_fn is own_policy
    assert config.policy_mapping_fn("left", None) == "left"
    assert config.policies_to_train == ["left"]


def test_a_mapping_of_the_users_own() -> None:
    config = configured(
        "  multi_agent: {policies: [a, b], policy_mapping_fn: 'users_team:by_side'}\n", TEAM
    )
    assert [config.policy_mapping_fn(agent, None) for agent in ("left", "right")] == ["a", "b"]


@pytest.mark.parametrize(
    ("multi_agent", "key", "must"),
    [
        ("{policies: [a, b]}", "policy_mapping_fn", "must be given where policies are not named"),
        ("{policies: {a: {lr: 1}}}", "policies.a", "must be empty"),
        ("{policies: 3}", "policies", "must be a mapping or a list of texts"),
        (
            "{policies: [left, right], policies_to_train: [up]}",
            "policies_to_train[0]",
            "must be one",
        ),
        (
            "{policies: [a, b], policy_mapping_fn: 'users_team:to_nobody'}",
            "policy_mapping_fn",
            'must give one of the policies a, b for every agent, but got "nobody" for left',
        ),
        (
            "{policies: [a, b], policy_mapping_fn: 'users_team:failing'}",
            "policy_mapping_fn",
            "must give one of the policies a, b for every agent, but got KeyError: 'left'",
        ),
        ("{policy_mapping_fn: 'users_team:BOX'}", "policy_mapping_fn", "must be package.module"),
        ("{observation_fn: 'users_team:by_side'}", "observation_fn", "must not be given"),
    ],
)
def test_broken_policies(multi_agent: str, key: str, must: str) -> None:
    (problem,) = said(f"  multi_agent: {multi_agent}\n", TEAM)
    assert f"algorithm.multi_agent.{key}: {must}" in problem


#: Keys whose defaults are objects of RLlib's, which a file names by a reference or by name.
OBJECTS = ("rl_module_spec", "custom_stats_cls_lookup", "policies")


@pytest.mark.parametrize("name", ONLINE)
@pytest.mark.parametrize("section", SECTIONS)
def test_rllibs_own_defaults_are_accepted(name: str, section: str) -> None:
    config = ALGORITHMS[name]()[1]
    keys = keys_of(type(config), section)
    assert keys.usable or section == "experimental"
    for key in keys.usable:
        value = getattr(config, key, None)
        if value is None or callable(value) or key in OBJECTS:
            continue
        assert keys.check(("algorithm", section), key, value)[1] is None, (key, value)


@pytest.mark.parametrize("section", OWNED)
def test_what_is_owned_is_rllibs(section: str) -> None:
    known: set[str] = set()
    for name in ONLINE:
        known |= set(keys_of(type(ALGORITHMS[name]()[1]), section).annotations)
    assert set(OWNED[section]) <= known


def test_sections_are_rllibs() -> None:
    for section in SECTIONS:
        assert inspect.isfunction(getattr(AlgorithmConfig, section))


@pytest.mark.parametrize(
    ("annotation", "value", "becomes"),
    [
        (float, 1, 1.0),
        (int | float, 1, 1),
        (float | None, None, None),
        (tuple[int, int], [1, 2], (1, 2)),
        (tuple[int, ...], [1, 2, 3], (1, 2, 3)),
        (list[float], [1, 2], [1.0, 2.0]),
        (dict[str, float], {"a": 1}, {"a": 1.0}),
        (type | None, "collections:OrderedDict", OrderedDict),
        (Any, [1], [1]),
    ],
)
def test_fitted(annotation: Any, value: Any, becomes: Any) -> None:
    found = fitted(annotation, value)
    assert found == becomes
    assert type(found) is type(becomes)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (float, "1"),
        (float, True),
        (float, float("nan")),
        (int, True),
        (int, 1.0),
        (bool, 1),
        (str, 1),
        (str, None),
        (tuple[int, int], [1, 2, 3]),
        (list[int], 1),
        (list[int], [1, "2"]),
        (dict[str, int], [1]),
        (dict[str, int], {"a": "b"}),
        (type, "collections:abc"),
        (type, "not a reference"),
        (type, 3),
    ],
)
def test_misfits(annotation: Any, value: Any) -> None:
    with pytest.raises(Misfit):
        fitted(annotation, value)


def test_importing_a_users_module_leaves_our_packages_first(users: Path) -> None:
    configured("  name: PPO\n", TEAM)
    assert sys.path[-1] == str(users)
    assert str(users) not in sys.path[:-1]
