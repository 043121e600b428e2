"""What ``validate`` says of curricula in which a policy decides the levels."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from refusals import said

from experiments.checking import check
from experiments.loading import parse_experiment

USERS = """\
import gymnasium
import numpy as np
from ray.rllib.env.multi_agent_env import MultiAgentEnv

def box(size):
    return gymnasium.spaces.Box(-1.0, 1.0, (size,), np.float32)

class Team(MultiAgentEnv):
    names, sizes = ("left", "right"), (2, 2)
    def __init__(self, config=None):
        super().__init__()
        self.possible_agents = self.agents = [*self.names]
        self.observation_spaces = dict(zip(self.names, map(box, self.sizes)))
        self.action_spaces = {name: gymnasium.spaces.Discrete(2) for name in self.agents}
        self.wind = (config or {}).get("wind", 0.0)
    def reset(self, *, seed=None, options=None):
        return {name: space.sample() for name, space in self.observation_spaces.items()}, {}
    def step(self, actions):
        zeros = {name: 0.0 for name in actions}
        no = {"__all__": False}
        seen = {name: self.observation_spaces[name].sample() for name in actions}
        return seen, zeros, no, no, {}

class Unlike(Team):
    sizes = (2, 3)

class Taken(Team):
    names = ("left", "generator")

def paid(returns):
    return max(returns.values()) - min(returns.values())

def by_name(returns):
    return returns["protagonist/left"] - returns["antagonist/right"]

def endless(returns):
    return float("inf")

weights = [1, 2]
"""
TEXT = """\
envolve: 1
name: x
env:
  id: CartPole
  knobs: {gravity: {low: 5, high: 20}}
curriculum: {kind: paired}
algorithm: {name: PPO}
stop: {iterations: 8}
"""
TEAM = TEXT.replace("CartPole", "users_scenario:Team").replace(
    "gravity: {low: 5, high: 20}", "wind: {low: 0, high: 1}"
)
PLAIN = "{kind: paired}"
PPO = "{name: PPO}"


@pytest.fixture(scope="module", autouse=True)
def users(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A directory with a user's module, from which the whole module runs."""
    place = tmp_path_factory.mktemp("users")
    (place / "users_scenario.py").write_text(USERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr(sys, "path", [*sys.path])
        yield place
    sys.modules.pop("users_scenario", None)


@pytest.mark.parametrize(
    "text",
    [
        *(TEXT.replace("paired", kind) for kind in ("scenario", "minimax", "flexible_paired")),
        TEXT,
        TEAM,
        TEAM.replace(PLAIN, "{kind: scenario, reward: 'users_scenario:paid'}"),
        TEAM.replace(PLAIN, "{kind: paired, reward: 'users_scenario:by_name'}"),
        TEXT.replace(PPO, "{multi_agent: {policies_to_train: [generator, protagonist]}}"),
        TEXT.replace(PPO, "{policy_search: {antagonist: {lr: {low: 0.001, high: 0.01}}}}"),
        TEXT.replace("  knobs", "  condition: [gravity]\n  knobs"),
        TEAM + "evaluation: {agents: [left]}\n",
    ],
)
def test_scenarios_that_hold(text: str) -> None:
    check(parse_experiment(text, "f.yaml"))


@pytest.mark.parametrize("text", [TEXT, TEAM])
def test_the_policies_are_those_of_the_players(text: str) -> None:
    config = check(parse_experiment(text, "f.yaml"))["main"].algorithm
    assert {*config.policies} == {"generator", "protagonist", "antagonist"}
    assert config.policy_mapping_fn("antagonist/left", None) == "antagonist"
    own = config.algorithm_config_overrides_per_module
    assert own == {"generator": {"entropy_coeff": 0.05}}


def test_the_generators_entropy_bonus_yields_to_one_of_rllibs_keys() -> None:
    overrides = (
        "{rl_module: {algorithm_config_overrides_per_module: {generator: {entropy_coeff: 0.2}, "
        "protagonist: {lr: 0.1}}}}"
    )
    config = check(parse_experiment(TEXT.replace(PPO, overrides), "f.yaml"))["main"].algorithm
    assert config.algorithm_config_overrides_per_module == {
        "generator": {"entropy_coeff": 0.2}, "protagonist": {"lr": 0.1},
    }  # fmt: skip


# Curriculum; what is said of its reward.
REWARDS = [
    (
        "{kind: scenario, reward: regret}",
        (
            "must be minimax or package.module:function for kind: scenario, but got "
            '"regret". There is one team of agents, and regret is for two'
        ),
    ),
    (
        "{kind: paired, reward: minimax}",
        (
            "must be regret, flexible or package.module:function for kind: paired, but got "
            '"minimax". There are two teams of agents, and minimax is for one'
        ),
    ),
    ("{kind: paired, reward: regrett}", 'but got "regrett". Did you mean "regret"?'),
    ("{kind: paired, reward: 'nowhere:function'}", "no module nowhere"),
    ("{kind: paired, reward: 'users_scenario:payed'}", 'Did you mean "paid"?'),
    (
        "{kind: paired, reward: 'users_scenario:weights'}",
        'must name a function, but got "users_scenario:weights", which is a list',
    ),
    (
        "{kind: paired, reward: 'users_scenario:by_name'}",
        'such as {"protagonist": 0.0, "antagonist": 0.0}, but got KeyError',
    ),
    ("{kind: paired, reward: 'users_scenario:endless'}", "must give a number for the agents' ret"),
    ("{kind: paired, reward: 'builtins:str'}", "but got ValueError: could not convert"),
]


@pytest.mark.parametrize(("curriculum", "holds"), REWARDS)
def test_rewards_that_a_generator_cannot_be_paid(curriculum: str, holds: str) -> None:
    (problem,) = said(TEXT.replace(PLAIN, curriculum))
    assert problem.startswith("f.yaml:6:")
    assert " curriculum.reward: must " in problem
    assert holds in problem


# Algorithm; key; what is said.
ALGORITHMS = [
    ("{name: DQN}", "name", 'must be PPO for curriculum.kind: paired, but got "DQN"'),
    ("{name: IMPALA}", "name", "must be PPO for curriculum.kind: paired"),
    (
        "{env_runners: {episode_lookback_horizon: 0}}",
        "env_runners.episode_lookback_horizon",
        "must be at least 1 where a generator acts, but got 0",
    ),
    (
        "{multi_agent: {policies: [a, b]}}",
        "multi_agent.policies",
        "must be left out, since the curriculum makes the policies, but got",
    ),
    (
        "{multi_agent: {policy_mapping_fn: 'users_scenario:paid'}}",
        "multi_agent.policy_mapping_fn",
        "They are generator, protagonist, antagonist",
    ),
    (
        "{multi_agent: {policies_to_train: [generator, student]}}",
        "multi_agent.policies_to_train[1]",
        "must be one of the policies generator, protagonist, antagonist",
    ),
    (
        "{rl_module: {algorithm_config_overrides_per_module: {protagnist: {lr: 0.1}}}}",
        "rl_module.algorithm_config_overrides_per_module.protagnist",
        'Did you mean "protagonist"?',
    ),
    (
        "{policy_search: {genrator: {lr: {low: 0.1, high: 1}}}}",
        "policy_search.genrator",
        'Did you mean "generator"?',
    ),
    (
        "{policy_search: {generator: {lrr: {low: 0.1, high: 1}}}}",
        "policy_search.generator.lrr",
        'must be a key of algorithm.training, but got "lrr". Did you mean "lr"?',
    ),
    (
        "{policy_search: {generator: {lr: {choices: [0.1, fast]}}}}",
        "policy_search.generator.lr.choices[1]",
        "must be a number",
    ),
    (
        "{policy_search: {generator: {gamma: {low: 0.9, high: 1}}}}",
        "policy_search.generator.gamma",
        (
            'must be a key that RLlib reads for each policy, but got "gamma". To search it for all '
            "of them, write algorithm.search.gamma"
        ),
    ),
]


@pytest.mark.parametrize(("algorithm", "key", "holds"), ALGORITHMS)
def test_algorithms_that_a_scenario_cannot_be_played_by(
    algorithm: str, key: str, holds: str
) -> None:
    (problem,) = said(TEXT.replace(PPO, algorithm))
    assert problem.startswith("f.yaml:7:")
    assert f" algorithm.{key}: must " in problem
    assert holds in problem


def test_policies_are_searched_where_there_are_several() -> None:
    search = "{policy_search: {generator: {lr: {low: 0.1, high: 1}}}}"
    (problem,) = said(TEXT.replace(PLAIN, "{kind: fixed}").replace(PPO, search))
    assert problem == (
        "f.yaml:7:13: algorithm.policy_search: must be left out where there is but one policy, "
        'but got ["generator"]. Write algorithm.search'
    )


def test_agents_of_a_team_have_the_same_spaces() -> None:
    (problem,) = said(TEAM.replace("Team", "Unlike"))
    assert problem.startswith(
        "f.yaml:4:3: env.id: must be an env whose agents' spaces are alike for curriculum.kind: "
        "paired, but got left with the observations Box(-1.0, 1.0, (2,), float32), right with "
        "Box(-1.0, 1.0, (3,), float32). All agents of a team share a policy"
    )


def test_no_agent_is_called_like_a_player() -> None:
    taken = TEAM.replace("Team", "Taken")
    (problem,) = said(taken.replace("paired", "scenario"))
    assert problem.startswith("f.yaml:4:3: env.id: must be an env for curriculum.kind: scenario")
    assert problem.endswith("but the env has generator")
    # Of two teams, each agent's name begins with its team's.
    check(parse_experiment(taken, "f.yaml"))


def test_agents_that_count_are_the_envs_own() -> None:
    (problem,) = said(TEAM + "evaluation: {agents: [protagonist]}\n")
    assert " evaluation.agents[0]: must be one of the env's agents, left, right" in problem
    (problem,) = said(TEXT + "evaluation: {agents: [protagonist]}\n")
    assert " evaluation.agents: must be left out for an env of a single agent" in problem


def test_agents_whose_spaces_differ_have_policies_of_their_own() -> None:
    plain = TEAM.replace(PLAIN, "{kind: fixed}").replace("Team", "Unlike")
    (problem,) = said(plain)
    assert problem.startswith(
        "f.yaml:7:1: algorithm.multi_agent: must give agents whose spaces differ policies of "
        "their own, but got left with the observations"
    )
    assert problem.endswith("One for each agent: policies: [left, right]")
    check(
        parse_experiment(plain.replace(PPO, "{multi_agent: {policies: [left, right]}}"), "f.yaml")
    )
