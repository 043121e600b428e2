from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import TimeLimit
from ray.rllib.env.multi_agent_env import MultiAgentEnv

from experiments import knob_spec
from experiments.env_source import EnvSource, check_env
from experiments.envs import BUILT_IN
from experiments.importing import importable_from
from experiments.loading import parse_experiment
from experiments.spaces import to_search, to_space
from orchestrator import apply
from orchestrator.knobs import (
    LARGEST_GRID,
    Blend,
    Cells,
    Choice,
    Continuous,
    Integer,
    Range,
    Simplex,
    Weights,
)

USERS = """\
import gymnasium
import numpy as np
from ray.rllib.env.multi_agent_env import MultiAgentEnv

BOX = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
made = []

class Base(gymnasium.Env):
    observation_space = BOX
    action_space = gymnasium.spaces.Discrete(2)
    value = 0.0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.full(2, self.value, np.float32), {}

    def step(self, action):
        return np.zeros(2, np.float32), 0.0, False, False, {}

class Keywords(Base):
    def __init__(self, gravity=9.8, *, size=1):
        self.weight, self.size = gravity * 2, size

class Required(Base):
    def __init__(self, gravity):
        self.weight = gravity

class Attributes(Base):
    gravity = 9.8

class Mixed(Base):
    wind = 0.0
    def __init__(self, gravity=9.8):
        pass

class Config(Base):
    def __init__(self, config):
        self.given = config
        self.weight = config["gravity"] * config.get("mass", 1.0)

class Typed(Base):
    def __init__(self, config):
        self.size = config.get("size", 1)
        if config.get("gravity", 9.8) > 15:
            raise ValueError("gravity must be at most 15")

class Deaf(Base):
    def __init__(self, env_config=None):
        self.mass = (env_config or {}).get("mass", 1.0)

class Lazy(Base):
    def __init__(self, config):
        self.config = config
    def reset(self, *, seed=None, options=None):
        self.weight = self.config["gravity"]
        return super().reset(seed=seed, options=options)

class Options(Base):
    def reset(self, *, seed=None, options=None):
        self.weight = (options or {}).get("gravity", 9.8)
        return super().reset(seed=seed)

class Method(Base):
    def set_level(self, level):
        if level["gravity"] < 2:
            raise RuntimeError("too light")
        self.value = 0.0 if level["gravity"] < 15 else 2.0

class Widening(Base):
    def __init__(self, lanes=2):
        self.observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(lanes)

class Old(Base):
    def reset(self, *, seed=None, options=None):
        return np.zeros(2, np.float32)

class OldStep(Base):
    def step(self, action):
        return np.zeros(2, np.float32), 0.0, False, {}

class Seedless(Base):
    def reset(self):
        return np.zeros(2, np.float32), {}

class Outside(Base):
    value = 3.0

class Doubles(Base):
    def reset(self, *, seed=None, options=None):
        return np.zeros(2), {}

class Breaks(Base):
    def __init__(self):
        raise RuntimeError("no display")

class NoEnv:
    def run(self):
        pass

class Lookalike:
    def reset(self): ...
    def step(self, action): ...

class Closing(Base):
    def __init__(self, gravity=1.0):
        made.append(self)
        self.open = True
    def close(self):
        self.open = False

class Team(MultiAgentEnv):
    def __init__(self, config=None):
        super().__init__()
        self.possible_agents = self.agents = ["left", "right"]
        self.observation_spaces = {name: BOX for name in self.agents}
        self.action_spaces = {name: gymnasium.spaces.Discrete(2) for name in self.agents}
        self.wind = (config or {}).get("wind", 0.0)
    def reset(self, *, seed=None, options=None):
        return {name: np.zeros(2, np.float32) for name in self.agents}, {}
    def step(self, actions):
        zeros = {name: 0.0 for name in actions}
        no = {"__all__": False}
        return {name: np.zeros(2, np.float32) for name in actions}, zeros, no, no, {}

class Seeing(Team):
    def __init__(self, config=None):
        super().__init__(config)
        self.observation_spaces["right"] = gymnasium.spaces.Box(0.0, 1.0, (2, 2), np.float32)
    def reset(self, *, seed=None, options=None):
        return {name: space.sample() for name, space in self.observation_spaces.items()}, {}
    def step(self, actions):
        _, zeros, no, no, infos = super().step(actions)
        return self.reset()[0], zeros, no, no, infos

def make(config):
    print("hello from make")
    return Config(config)

def make_team():
    return Team()

def make_vector():
    return gymnasium.make_vec("CartPole-v1", num_envs=2)

an_env = Base()
number = 3
"""


@pytest.fixture(scope="module", autouse=True)
def users(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A directory with a user's modules, from which the whole module runs."""
    place = tmp_path_factory.mktemp("users")
    (place / "users_envs.py").write_text(USERS)
    (place / "needs_more.py").write_text("import no_such_package\n")
    (place / "broken.py").write_text("def f(:\n")
    (place / "failing.py").write_text("\n1 / 0\n")
    (place / "exiting.py").write_text("raise SystemExit(3)\n")
    (place / "experiments").mkdir()
    (place / "experiments" / "mine.py").write_text(USERS)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr(sys, "path", [*sys.path])
        importable_from(place)
        yield place
    for name in ("users_envs", "needs_more", "broken", "failing", "exiting"):
        sys.modules.pop(name, None)


def problems(env: str, rest: str = "") -> list[str]:
    text = f"envolve: 1\nname: x\nstop: {{iterations: 8}}\nenv:\n{env}{rest}"
    loaded = parse_experiment(text, "f.yaml")
    return [str(problem) for problem in check_env(loaded, "main")]


def source(env: str) -> EnvSource:
    text = f"envolve: 1\nname: x\nstop: {{iterations: 8}}\nenv: {env}\n"
    return EnvSource.of(parse_experiment(text, "f.yaml").arms["main"].env)


GRAVITY = "  knobs:\n    gravity: {low: 1, high: 20}\n"

HOLD = [
    *(f"  id: {name}\n" for name in BUILT_IN),
    "  id: CartPole\n  knobs:\n    length: {low: 0.25, high: 2}\n",
    "  id: CartPole\n  apply: rebuild\n  knobs:\n    length: {low: 0.25, high: 2}\n",
    "  id: CartPole\n  apply: method\n  config: {tau: 0.03}\n" + GRAVITY,
    (
        "  id: BipedalWalker\n  config: {stair_steps: 3}\n  knobs:\n"
        "    pit_gap_high: {low: 0, high: 10}\n    stair_height_high: {low: 0, high: 5}\n"
    ),
    (
        "  id: Spread\n  config: {agents: 2, max_cycles: 40, spread_agents: 0.5}\n  knobs:\n"
        "    mix: {simplex: [coverage, collisions]}\n    offset: {low: 0, high: 1}\n"
    ),
    "  id: Spread\n  apply: rebuild\n  knobs:\n    local_ratio: {low: 0, high: 1}\n",
    (
        "  id: Maze\n  config: {size: 11, max_steps: 100}\n  knobs:\n"
        "    walls: {cells: 121, high: 60, start: {low: 0, high: 10}}\n"
        "    start: {low: 0, high: 120, integer: true}\n"
    ),
    "  id: CartPole-v1\n" + GRAVITY,
    "  id: CartPole-v1\n  config: {max_episode_steps: 7, sutton_barto_reward: true}\n",
    "  id: Pendulum-v1\n  knobs:\n    g: {low: 1, high: 20}\n",
    "  id: experiments.envs.cartpole:CartPole\n" + GRAVITY,
    "  id: users_envs:Keywords\n  config: {size: 3}\n" + GRAVITY,
    "  id: users_envs:Required\n" + GRAVITY,
    "  id: users_envs:Attributes\n" + GRAVITY,
    "  id: users_envs:Attributes\n  apply: attributes\n" + GRAVITY,
    "  id: users_envs:Config\n" + GRAVITY,
    "  id: users_envs:Config\n  config: {mass: 2.0}\n" + GRAVITY,
    "  id: users_envs:make\n" + GRAVITY,
    "  id: users_envs:Lazy\n  apply: rebuild\n" + GRAVITY,
    "  id: users_envs:Options\n  apply: options\n" + GRAVITY,
    "  id: users_envs:Team\n  knobs:\n    wind: {low: 0, high: 1}\n",
    "  id: users_envs:Team\n  condition: [wind]\n  knobs:\n    wind: {low: 0, high: 1}\n",
    "  id: CartPole\n  condition: [length]\n  knobs:\n    length: {low: 0.25, high: 2}\n",
    "  id: users_envs:Doubles\n",
    "  id: users_envs:Attributes\n  knobs:\n    value: {simplex: [a, b]}\n".replace(
        "value", "gravity"
    ),
]


@pytest.mark.parametrize("env", HOLD)
def test_envs_that_hold(env: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert problems(env) == []
    assert capfd.readouterr() == ("", "")


BROKEN = [
    # Names.
    ("  id: cartpole\n", ":5:3: env.id: must be a built-in env, a gymnasium id or", '"CartPole"?'),
    ("  id: CartPole-v9\n", ":5:3: env.id: ", '"CartPole-v1"?'),
    ("  id: LunarLander-v2\n", ":5:3: env.id: ", '"LunarLander-v3"?'),
    ("  id: ALE/Pong-v5\n", ":5:3: env.id: ", "ale:ALE/Pong-v5"),
    ("  id: users_envs.Keywords\n", ":5:3: env.id: ", '"users_envs:Keywords"?'),
    ("  id: envs/mine.py\n", ":5:3: env.id: ", '"envs.mine:MyEnv"?'),
    ("  id: qqqqqq\n", ":5:3: env.id: ", "Your own: package.module:attribute"),
    ("  id: nowhere:Thing-v0\n", ":5:3: env.id: ", "no module nowhere"),
    # Imports.
    ("  id: user_envs:Keywords\n", ":5:3: env.id: ", '"users_envs"?'),
    ("  id: users_envs:Keyword\n", ":5:3: env.id: must name something in", '"Keywords"?'),
    ("  id: needs_more:Env\n", ":5:3: env.id: ", "pip install no_such_package"),
    ("  id: broken:Env\n", ":5:3: env.id: ", "SyntaxError"),
    ("  id: failing:Env\n", ":5:3: env.id: ", "failing.py:2)"),
    ("  id: exiting:Env\n", ":5:3: env.id: ", "SystemExit: 3 while importing exiting"),
    ("  id: experiments.mine:Keywords\n", ":5:3: env.id: ", "envolve's package hides it"),
    # No envs.
    ("  id: users_envs:NoEnv\n", ":5:3: env.id: must be an env's class", "no reset and no step"),
    ("  id: users_envs:Lookalike\n", ":5:3: env.id: must make a gymnasium.Env", "Derive it from"),
    ("  id: users_envs:number\n", ":5:3: env.id: must be a class or function", "int"),
    ("  id: users_envs:an_env\n", ":5:3: env.id: must be a class or function", "Every member"),
    (
        "  id: users_envs:make_vector\n",
        ":5:3: env.id: must make one env",
        "num_envs_per_env_runner",
    ),
    ("  id: gymnasium.vector:SyncVectorEnv\n", ":5:3: env.id: must make one env", "single env"),
    ("  id: users_envs:Breaks\n", ":5:3: env.id: ", "RuntimeError: no display"),
    ("  id: users_envs:Old\n", ":5:3: env.id: must return an observation and an info", "ndarray"),
    ("  id: users_envs:OldStep\n", ":5:3: env.id: must return observation, reward", "4 values"),
    ("  id: users_envs:Seedless\n", ":5:3: env.id: must have reset(*, seed", "TypeError"),
    ("  id: users_envs:Outside\n", ":5:3: env.id: must give observations within", "from reset"),
    # Config.
    ("  id: CartPole\n  config: {lenth: 1}\n", ":6:12: env.config.lenth: ", '"length"?'),
    ("  id: CartPole\n  config: {length: x}\n", ":6:12: env.config.length: ", "got 'x'"),
    ("  id: CartPole-v1\n  config: {foo: 1}\n", ":6:12: env.config.foo: ", "sutton_barto_reward"),
    ("  id: users_envs:Keywords\n  config: {siz: 1}\n", ":6:12: env.config.siz: ", '"size"?'),
    (
        "  id: CartPole\n  config: {gravity: 3}\n" + GRAVITY,
        ":6:12: env.config.gravity: must not be a knob as well",
        "env.knobs.gravity",
    ),
    ("  id: Maze\n  config: {sise: 11}\n", ":6:12: env.config.sise: ", '"size"?'),
    (
        "  id: Maze\n  knobs:\n    walls: {cells: 169}\n",
        ":7:5: env.knobs.walls: must be values that Maze takes",
        "'walls' must be from 0 to 167 cells, but got 169",
    ),
    ("  id: Spread\n  config: {agent: 2}\n", ":6:12: env.config.agent: ", '"agents"?'),
    (
        "  id: Spread\n  config: {agents: 0}\n",
        ":6:12: env.config.agents: ",
        "`agents` of Spread must be a whole number of at least 1",
    ),
    # Knobs.
    (
        "  id: Spread\n  knobs:\n    agents: {low: 2, high: 4, integer: true}\n",
        ":7:5: env.knobs.agents: must be something that can be set in Spread",
        '"spread_agents"?',
    ),
    (
        "  id: Spread\n  knobs:\n    mix: {simplex: [coverage, speed]}\n",
        ":7:5: env.knobs.mix: must be values that Spread takes",
        "`mix` must give `coverage` and `collisions` weights",
    ),
    (
        "  id: CartPole\n  knobs:\n    lenght: {low: 1, high: 2}\n",
        ":7:5: env.knobs.lenght: must be something that can be set in CartPole",
        '"length"?',
    ),
    (
        "  id: CartPole\n  knobs:\n    length: {low: -1, high: 2}\n",
        ":7:5: env.knobs.length: must be values that CartPole takes, but got -1.0",
        "`length` must be a number from 0.001 to 1000",
    ),
    (
        "  id: CartPole-v1\n  knobs:\n    length: {low: 0.25, high: 2}\n",
        ":7:5: env.knobs.length: ",
        "id: CartPole, knob length",
    ),
    (
        "  id: CartPole-v1\n  apply: attributes\n  knobs:\n    masspole: {low: 0.1, high: 2}\n",
        ":8:5: env.knobs.masspole: ",
        "polemass_length",
    ),
    (
        "  id: Acrobot-v1\n  knobs:\n    LINK_LENGTH_1: {low: 0.5, high: 2}\n",
        ":7:5: env.knobs.LINK_LENGTH_1: ",
        "id: Acrobot, knob link_length_1",
    ),
    (
        "  id: MountainCarContinuous-v0\n  knobs:\n    max_speed: {low: 0.05, high: 0.1}\n",
        ":7:5: env.knobs.max_speed: ",
        "the observation space",
    ),
    (
        "  id: CartPole-v1\n  knobs:\n    gravitty: {low: 1, high: 2}\n",
        ":7:5: env.knobs.gravitty: ",
        '"gravity"?',
    ),
    (
        "  id: CartPole-v1\n  apply: attributes\n  knobs:\n    step: {low: 1, high: 2}\n",
        ":8:5: env.knobs.step: must be a value of the env",
        "one of its methods",
    ),
    (
        "  id: users_envs:Keywords\n  apply: rebuild\n  knobs:\n    wind: {low: 1, high: 2}\n",
        ":8:5: env.knobs.wind: must be an argument of the constructor",
        "It takes gravity, size",
    ),
    (
        "  id: users_envs:Mixed\n" + GRAVITY + "    wind: {low: 1, high: 2}\n",
        ":6:3: env.knobs: must all reach the env by one way",
        "gravity for the constructor alone",
    ),
    (
        "  id: users_envs:Deaf\n  apply: rebuild\n" + GRAVITY,
        ":8:5: env.knobs.gravity: must be a key that the constructor of users_envs:Deaf reads",
        "never looked at",
    ),
    ("  id: users_envs:Deaf\n" + GRAVITY, ":7:5: env.knobs.gravity: ", "set_level(level)"),
    (
        "  id: users_envs:Attributes\n  apply: options\n" + GRAVITY,
        ":8:5: env.knobs.gravity: must be a key that reset(options=...) of",
        "never looked at",
    ),
    (
        "  id: users_envs:Typed\n" + GRAVITY,
        ":7:5: env.knobs.gravity: must be values that users_envs:Typed takes",
        "20.0: ValueError: gravity must be at most 15",
    ),
    (
        "  id: users_envs:Method\n" + GRAVITY,
        ":7:5: env.knobs.gravity: must be values that users_envs:Method takes",
        "1.0: RuntimeError: too light",
    ),
    (
        "  id: users_envs:Method\n  knobs:\n    gravity: {low: 3, high: 20}\n",
        ":7:5: env.knobs.gravity: must give observations within",
        "2., 2.",
    ),
    (
        "  id: users_envs:Widening\n  knobs:\n    lanes: {low: 2, high: 4, integer: true}\n",
        ":7:5: env.knobs.lanes: must leave the action space as it is",
        "instead of Discrete(2)",
    ),
    # What is shown of the level.
    (
        (
            "  id: Taxi-v3\n  condition: [fickle_passenger]\n  knobs:\n"
            "    fickle_passenger: {choices: [true, false]}\n"
        ),
        ":6:3: env.condition: must be left out unless observations are a Box of floats with one",
        "Discrete(500). A wrapper can make them one: gymnasium.wrappers.FlattenObservation",
    ),
    (
        "  id: users_envs:Seeing\n  condition: [wind]\n  knobs:\n    wind: {low: 0, high: 1}\n",
        ":6:3: env.condition: must be left out unless observations are a Box of floats with one",
        "of right",
    ),
    # Ways.
    (
        "  id: CartPole\n  apply: attributes\n" + GRAVITY,
        ":6:3: env.apply: must be auto or method",
        "bypass",
    ),
    (
        "  id: CartPole\n  apply: options\n" + GRAVITY,
        ":6:3: env.apply: must be auto, method",
        "read",
    ),
    ("  id: CartPole-v1\n  apply: method\n" + GRAVITY, ":6:3: env.apply: ", "no set_level(level)"),
]


@pytest.mark.parametrize(("env", "begins", "holds"), BROKEN)
def test_broken_envs(env: str, begins: str, holds: str, capfd: pytest.CaptureFixture[str]) -> None:
    (said,) = problems(env)
    assert said.startswith(f"f.yaml{begins}")
    assert holds in said
    assert "\n" not in said
    assert capfd.readouterr() == ("", "")


def test_a_missing_package_is_named() -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name in [*sys.modules]:
            if name.startswith("gymnasium.envs.box2d"):
                patch.delitem(sys.modules, name)
        patch.setitem(sys.modules, "Box2D", None)
        (said,) = problems("  id: LunarLander-v3\n")
    assert said.startswith("f.yaml:5:3: env.id: must be an env whose packages are installed")
    assert 'pip install "gymnasium[box2d]"' in said


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("BipedalWalker", "Box2D", "box2d"),
        ("BipedalWalker", "pygame", "box2d"),
        ("Spread", "mpe2", "mpe"),
    ],
)
def test_a_built_ins_missing_package_is_named_with_its_extra(
    name: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    assert problems(f"  id: {name}\n") == [
        (
            "f.yaml:5:3: env.id: must be an env whose packages are installed, "
            f"but got no package {package}. Install it: pip install 'envolve[{extra}]'"
        )
    ]


def test_every_wrong_knob_is_named() -> None:
    knobs = "".join(f"    {name}: {{low: 1, high: 2}}\n" for name in ("lenght", "gravty", "tau2"))
    said = problems("  id: CartPole\n  knobs:\n" + knobs)
    assert {line.split(": ")[1] for line in said} == {
        "env.knobs.lenght",
        "env.knobs.gravty",
        "env.knobs.tau2",
    }


@pytest.mark.parametrize(
    ("env", "agents", "key"),
    [
        ("CartPole", "[left]", "evaluation.agents"),
        ("users_envs:Team", "[left, rigth]", "evaluation.agents[1]"),
    ],
)
def test_agents_that_the_env_has_not(env: str, agents: str, key: str) -> None:
    (said,) = problems(f"  id: {env}\n", f"evaluation: {{agents: {agents}}}\n")
    assert said.split(": ")[1] == key


def test_the_envs_that_were_checked_are_closed() -> None:
    problems("  id: users_envs:Closing\n" + GRAVITY)
    made = sys.modules["users_envs"].made
    assert len(made) > 2
    assert not any(env.open for env in made)


def test_a_built_in_takes_config_and_level_and_has_its_time_limit() -> None:
    made = source("{id: CartPole, config: {gravity: 3}}")({"length": 2.0})
    assert isinstance(made, TimeLimit)
    assert made.unwrapped.level["gravity"] == 3.0
    assert made.unwrapped.level["length"] == 2.0
    made.reset(seed=0)
    assert made._max_episode_steps == 500
    assert source("{id: BipedalWalker}")({})._max_episode_steps == 2000


def test_a_built_in_of_several_agents_ends_its_own_episodes() -> None:
    made = source("{id: Spread, config: {agents: 2, max_cycles: 7}}")({"offset": 0.5})
    assert isinstance(made, MultiAgentEnv)
    assert made.possible_agents == ["agent_0", "agent_1"]
    assert made.max_cycles == 7
    assert made.level["offset"] == 0.5


def test_a_gymnasium_env_keeps_its_time_limit_and_loses_its_checker() -> None:
    made = source("{id: CartPole-v1, config: {max_episode_steps: 3}}")({})
    layers = []
    while isinstance(made, gymnasium.Wrapper):
        layers.append(type(made).__name__)
        made = made.env
    assert layers == ["TimeLimit", "OrderEnforcing"]


def test_the_module_of_a_gymnasium_id_is_imported(users: Path) -> None:
    (users / "registers.py").write_text(
        "import gymnasium\ngymnasium.register('UsersOwn-v0', entry_point='users_envs:Keywords')\n"
    )
    try:
        assert problems("  id: registers:UsersOwn-v0\n" + GRAVITY) == []
    finally:
        gymnasium.registry.pop("UsersOwn-v0", None)
        sys.modules.pop("registers", None)


@pytest.mark.parametrize(
    ("env", "way"),
    [
        ("{id: CartPole, knobs: {gravity: {low: 1, high: 2}}}", "method"),
        ("{id: CartPole-v1, knobs: {gravity: {low: 1, high: 2}}}", "attributes"),
        ("{id: Pendulum-v1, knobs: {g: {low: 1, high: 2}}}", "rebuild"),
        ('{id: "users_envs:Keywords", knobs: {gravity: {low: 1, high: 2}}}', "rebuild"),
        ('{id: "users_envs:Config", knobs: {gravity: {low: 1, high: 2}}}', "rebuild"),
        ('{id: "users_envs:Attributes", knobs: {gravity: {low: 1, high: 2}}}', "attributes"),
        ('{id: "users_envs:Method", knobs: {gravity: {low: 3, high: 4}}}', "method"),
    ],
)
def test_the_way_that_auto_takes(env: str, way: str) -> None:
    text = f"envolve: 1\nname: x\nstop: {{iterations: 8}}\nenv: {env}\n"
    experiment = parse_experiment(text, "f.yaml").arms["main"]
    made = EnvSource.of(experiment.env)
    env_made = made({})
    assert apply.choose(env_made, made, to_space(experiment).knobs) == way
    env_made.close()


def test_a_config_dict_answers_for_a_knob_but_does_not_hold_it() -> None:
    made = source('{id: "users_envs:Config", knobs: {gravity: {low: 3, high: 4}}}')
    config = made({}).given
    assert 3 <= config["gravity"] <= 4
    assert "gravity" not in config
    assert config.get("gravity", 7) == 7
    with pytest.raises(KeyError):
        config["other"]
    assert made({"gravity": 3.5}).given["gravity"] == 3.5


@pytest.mark.parametrize(
    "look",
    [
        lambda config: config["a"],
        lambda config: config.get("a"),
        lambda config: config.pop("a"),
        lambda config: {**config},
        lambda config: {"a": 0} | config,
        lambda config: config | {"b": 0},
        dict,
        {"a": 0}.update,
        lambda config: config.copy(),
        lambda config: [*config.values()],
    ],
)
def test_every_way_of_looking_at_a_config_is_heard(look: Callable[[Any], Any]) -> None:
    config = apply.ReadKeys({"a": 1})
    assert config.ignored(["a"]) == ["a"]
    look(config)
    assert config.ignored(["a"]) == []


def test_envs_share_no_config() -> None:
    made = source('{id: "users_envs:Config", config: {gravity: 1, sizes: [1, 2]}}')
    made({}).given["sizes"].append(3)
    assert made({}).given["sizes"] == [1, 2]


@pytest.mark.parametrize("name", ["CartPole", "CartPole-v1", "users_envs:make"])
def test_sources_travel(name: str) -> None:
    made = source(f'{{id: "{name}", knobs: {{gravity: {{low: 3, high: 4}}}}}}')
    _ = made.multi_agent
    travelled = pickle.loads(pickle.dumps(made))
    assert travelled == made
    travelled({"gravity": 3.5} if name != "CartPole-v1" else {}).close()


@pytest.mark.parametrize(
    ("name", "several"),
    [
        ("CartPole", False),
        ("BipedalWalker", False),
        ("Spread", True),
        ("Pendulum-v1", False),
        ("users_envs:Team", True),
        ("users_envs:make_team", True),
        ("users_envs:make", False),
    ],
)
def test_multi_agent(name: str, several: bool) -> None:
    made = source(f'{{id: "{name}", knobs: {{gravity: {{low: 3, high: 4}}}}}}')
    assert made.multi_agent is several


def test_a_users_directory_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = [*sys.path]
    importable_from(tmp_path)
    importable_from(tmp_path)
    assert sys.path == [*before, str(tmp_path)]


def test_knobs_of_a_file_become_the_domains() -> None:
    experiment = parse_experiment(
        """\
envolve: 1
name: x
stop: {iterations: 8}
env:
  id: CartPole
  knobs:
    real: {low: 1, high: 4, scale: log, start: {low: 2, high: 3}}
    whole: {low: 1, high: 5, integer: true, start: {low: 1, high: 2}}
    kind: {choices: [a, [1, 2], 3], start: [1, 0, 3]}
    terms: {simplex: [a, b], start: {center: {b: 3, a: 1}, spread: 0.5}}
    walls: {cells: 121, high: 60, start: {low: 0, high: 10}}
    holes: {cells: 9, low: 1}
    free: {low: 0, high: 1}
algorithm:
  search:
    lr: {low: 1e-4, high: 1e-2, scale: log}
    num_epochs: {low: 1, high: 8, integer: true}
    gamma: {choices: [0.9, 0.99]}
""",
        "f.yaml",
    ).arms["main"]
    space = to_space(experiment)
    assert space.knobs == {
        "real": Continuous(1.0, 4.0, "log"),
        "whole": Integer(1, 5),
        "kind": Choice(("a", [1, 2], 3)),
        "terms": Simplex(("a", "b")),
        "walls": Cells(121, 0, 60),
        "holes": Cells(9, 1, 9),
        "free": Continuous(0.0, 1.0),
    }
    assert space.start == {
        "real": Range(2.0, 3.0),
        "whole": Range(1, 2),
        "kind": Weights((0.25, 0.0, 0.75)),
        "terms": Blend((0.25, 0.75), 0.5),
        "walls": Range(0, 10),
    }
    assert to_search(experiment) == {
        "lr": Continuous(1e-4, 1e-2, "log"),
        "num_epochs": Integer(1, 8),
        "gamma": Choice((0.9, 0.99)),
    }
    level = space.initial().sample(np.random.default_rng(0))
    assert level["whole"] in (1, 2)


def test_the_largest_grid_of_a_file_is_the_domains() -> None:
    assert knob_spec.LARGEST_GRID == LARGEST_GRID
