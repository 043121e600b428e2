"""Whether an env says that its episodes succeeded, where a curriculum has to know."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from experiments.env_source import check_env
from experiments.loading import parse_experiment

USERS = """\
import gymnasium
import numpy as np
from ray.rllib.env.multi_agent_env import MultiAgentEnv

BOX = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
NOTHING = np.zeros(2, np.float32)

class Silent(gymnasium.Env):
    observation_space = BOX
    action_space = gymnasium.spaces.Discrete(2)
    last, steps, ends, wind = {}, 0, 3, 0.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return NOTHING, {"is_success": False}

    def step(self, action):
        print("noise")
        self.steps += 1
        over = self.steps == self.ends
        return NOTHING, 0.0, over, False, self.last if over else {"is_success": False}

class Telling(Silent):
    last = {"is_success": np.False_}

class CutOff(Telling):
    def step(self, action):
        observation, reward, over, _, info = super().step(action)
        return observation, reward, False, over, info

class Endless(Silent):
    ends = None

class Failing(Silent):
    def step(self, action):
        if self.steps == 2:
            raise RuntimeError("the third step")
        return super().step(action)

class Team(MultiAgentEnv):
    last, wind = {}, 0.0

    def __init__(self, config=None):
        super().__init__()
        self.possible_agents = self.agents = ["left", "right"]
        self.observation_spaces = dict.fromkeys(self.agents, BOX)
        self.action_spaces = dict.fromkeys(self.agents, gymnasium.spaces.Discrete(2))

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return dict.fromkeys(self.agents, NOTHING), {}

    def step(self, actions):
        self.steps += 1
        over = {"__all__": self.steps == 3}
        return (
            dict.fromkeys(actions, NOTHING), dict.fromkeys(actions, 0.0), over,
            {"__all__": False}, self.last if over["__all__"] else {},
        )

class TellingTeam(Team):
    last = {"right": {"is_success": True}}
"""
TEXT = """\
envolve: 1
name: x
env:
  id: users_success:Silent
  knobs: {wind: {low: 0, high: 1}}
curriculum: {kind: sfl}
stop: {iterations: 8}
"""
WANTED = (
    "f.yaml:3:1: env.success_above: must be given for curriculum.kind: sfl, since info has no "
    "is_success when an episode ends, but got null. For example success_above: 195, the return "
    "from which on an episode counts as solved"
)


@pytest.fixture(scope="module", autouse=True)
def users(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A directory with a user's module, from which the whole module runs."""
    place = tmp_path_factory.mktemp("users")
    (place / "users_success.py").write_text(USERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr(sys, "path", [*sys.path])
        yield place
    sys.modules.pop("users_success", None)


def problems(text: str) -> list[str]:
    return [str(each) for each in check_env(parse_experiment(text, "f.yaml"), "main")]


@pytest.mark.parametrize("env", ["Silent", "Team"])
def test_an_env_that_does_not_say_at_the_end_of_an_episode(
    env: str, capfd: pytest.CaptureFixture[str]
) -> None:
    text = TEXT.replace("Silent", env)
    assert problems(text) == [WANTED]
    assert problems(text.replace("  knobs", "  success_above: 3\n  knobs")) == []
    assert problems(text.replace("sfl", "domain_randomization")) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("env", ["Telling", "CutOff", "TellingTeam"])
def test_an_env_that_says_it_holds(env: str) -> None:
    assert problems(TEXT.replace("Silent", env)) == []


def test_an_env_whose_episodes_do_not_end_is_given_the_benefit_of_the_doubt() -> None:
    assert problems(TEXT.replace("Silent", "Endless")) == []


def test_an_env_that_fails_before_its_episode_ends() -> None:
    assert problems(TEXT.replace("Silent", "Failing")) == [
        (
            "f.yaml:4:3: env.id: must be an env whose episodes can be played, but got "
            "RuntimeError: the third step"
        )
    ]


@pytest.mark.parametrize(
    ("env", "knob"),
    [
        ("Maze", "walls: {cells: 169, high: 60}"),
        ("Spread", "local_ratio: {low: 0, high: 1}"),
        ("BipedalWalker", "pit_gap_high: {low: 0, high: 10}"),
    ],
)
def test_built_ins_that_say_it(env: str, knob: str) -> None:
    text = TEXT.replace("users_success:Silent", env).replace("wind: {low: 0, high: 1}", knob)
    assert problems(text) == []
