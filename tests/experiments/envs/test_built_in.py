"""What every built-in env of classic control must hold to."""

from __future__ import annotations

import copy
import importlib
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import experiments.envs
from experiments.envs import BUILT_IN, EXTRAS

Policy = Callable[[np.random.Generator, np.ndarray], Any]


@dataclass(frozen=True)
class Case:
    """A built-in env, the env that gymnasium registers, and a policy that gets about."""

    name: str
    registered: str
    policy: Policy

    @property
    def make(self) -> Any:
        module, attribute = BUILT_IN[self.name].split(":")
        return getattr(importlib.import_module(module), attribute)

    def gymnasiums_own(self) -> gymnasium.Env[Any, Any]:
        return gymnasium.make(self.registered).unwrapped


def push_either_way(rng: np.random.Generator, _: np.ndarray) -> int:
    return int(rng.integers(2))


def any_torque(rng: np.random.Generator, _: np.ndarray) -> np.ndarray:
    return rng.uniform(-2, 2, size=1).astype(np.float32)


def mostly_with_the_swing(rng: np.random.Generator, observation: np.ndarray) -> int:
    return int(rng.integers(3)) if rng.random() < 0.2 else (2 if observation[5] > 0 else 0)


def along_the_motion(rng: np.random.Generator, observation: np.ndarray) -> np.ndarray:
    force = rng.uniform(0.1, 1.1)
    return np.array([force if observation[1] >= 0 else -force], dtype=np.float32)


CASES = [
    Case("CartPole", "CartPole-v1", push_either_way),
    Case("Pendulum", "Pendulum-v1", any_torque),
    Case("Acrobot", "Acrobot-v1", mostly_with_the_swing),
    Case("MountainCarContinuous", "MountainCarContinuous-v0", along_the_motion),
]
#: Built-ins with a whole module of tests each, because they are unlike the others.
ON_THEIR_OWN = ["BipedalWalker", "Maze", "Spread"]
KNOB_ENDS = [
    pytest.param(case, name, end, id=f"{case.name}-{name}-{end:g}")
    for case in CASES
    for name, knob in case.make.SETTABLE.items()
    for end in knob.suggested
    if end != knob.default
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@dataclass(frozen=True)
class Trajectory:
    """Bytes of the observations, so that comparison is to the last bit; and what came with them."""

    observations: tuple[bytes, ...]
    rewards: tuple[float, ...]
    ends: tuple[bool, ...]


def play(env: Any, policy: Policy, steps: int = 400, seed: int = 3) -> Trajectory:
    rng = np.random.default_rng(seed)
    observation, _ = env.reset(seed=seed)
    observations, rewards, ends = [observation.tobytes()], [], []
    for _ in range(steps):
        observation, reward, terminated, truncated, info = env.step(policy(rng, observation))
        assert observation.dtype == np.float32
        assert np.isfinite(observation).all()
        assert not truncated
        assert info == {}
        observations.append(observation.tobytes())
        rewards.append(float(reward))
        ends.append(terminated)
        if terminated:
            observation, _ = env.reset()
            observations.append(observation.tobytes())
    return Trajectory(tuple(observations), tuple(rewards), tuple(ends))


def drawn_level(env_class: Any, rng: np.random.Generator) -> dict[str, float]:
    return {name: float(rng.uniform(*ends)) for name, ends in env_class.KNOBS.items()}


def test_every_built_in_has_its_tests() -> None:
    assert sorted([*(case.name for case in CASES), *ON_THEIR_OWN]) == sorted(BUILT_IN)


def test_extras_are_of_built_ins() -> None:
    assert set(EXTRAS) < set(BUILT_IN)


def test_naming_the_built_in_envs_imports_no_gymnasium() -> None:
    root = Path(experiments.envs.__file__).parents[2]
    code = "import sys, experiments.envs; sys.exit('gymnasium' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


@each_case
def test_default_is_gymnasiums_own_to_the_last_bit(case: Case) -> None:
    ours = play(case.make(), case.policy)
    assert ours == play(case.gymnasiums_own(), case.policy)
    assert any(ours.ends) == (case.name != "Pendulum")


@each_case
def test_defaults_lie_in_their_ranges(case: Case) -> None:
    for name, knob in case.make.SETTABLE.items():
        low, high = case.make.KNOBS[name]
        assert knob.legal[0] <= low < high <= knob.legal[1]
        assert low <= knob.default <= high
    assert case.make().level == {name: knob.default for name, knob in case.make.SETTABLE.items()}


@each_case
def test_time_limit_is_the_registered_one(case: Case) -> None:
    assert case.make.max_episode_steps == gymnasium.spec(case.registered).max_episode_steps


@each_case
def test_spaces_are_the_registered_ones_on_every_level(case: Case) -> None:
    own = case.gymnasiums_own()
    rng = np.random.default_rng(0)
    for _ in range(24):
        level = {name: float(rng.choice(ends)) for name, ends in case.make.KNOBS.items()}
        env = case.make(level)
        assert env.observation_space == own.observation_space
        assert env.action_space == own.action_space
        observation, _ = env.reset(seed=0)
        for _ in range(60):
            assert env.observation_space.contains(observation), level
            observation, _, terminated, _, _ = env.step(case.policy(rng, observation))
            if terminated:
                assert env.observation_space.contains(observation), level
                observation, _ = env.reset()


@pytest.mark.parametrize(("case", "name", "end"), KNOB_ENDS)
def test_every_knob_alone_changes_the_trajectory(case: Case, name: str, end: float) -> None:
    default, changed = case.make(), case.make()
    changed.set_level({name: end})
    assert play(changed, case.policy) != play(default, case.policy)


@each_case
def test_nothing_of_an_earlier_level_stays(case: Case) -> None:
    rng = np.random.default_rng(1)
    used = case.make()
    for _ in range(5):
        used.set_level(drawn_level(case.make, rng))
        play(used, case.policy, steps=20)
        level = drawn_level(case.make, rng)
        used.set_level(level)
        fresh = case.make()
        fresh.set_level(level)
        expected = play(fresh, case.policy, steps=100)
        assert play(used, case.policy, steps=100) == expected
        assert play(case.make(level), case.policy, steps=100) == expected
        assert used.level == fresh.level == level


@each_case
def test_knobs_that_a_level_leaves_out_are_the_configs(case: Case) -> None:
    first, second, *_ = case.make.KNOBS
    config = {first: case.make.KNOBS[first][1]}
    env = case.make(config)
    env.set_level({first: case.make.KNOBS[first][0], second: case.make.KNOBS[second][1]})
    env.set_level({second: case.make.KNOBS[second][0]})
    both = case.make(config | {second: case.make.KNOBS[second][0]})
    assert env.level == both.level
    assert play(env, case.policy) == play(both, case.policy)
    env.set_level({})
    assert play(env, case.policy) == play(case.make(config), case.policy)


@each_case
def test_a_refused_level_changes_nothing(case: Case) -> None:
    env = case.make()
    before = play(env, case.policy)
    first, second, *_ = case.make.KNOBS
    for bad in ({second: float("nan")}, {second: -1e9}, {"no such": 1.0}):
        with pytest.raises(ValueError, match=f"illegal level for {case.name}"):
            env.set_level({first: case.make.KNOBS[first][1]} | bad)
    assert env.level == case.make().level
    assert play(env, case.policy) == before


@each_case
def test_the_constructors_config_is_checked(case: Case) -> None:
    near = next(iter(case.make.KNOBS))
    with pytest.raises(ValueError, match=f"the nearest is `{near}`"):
        case.make({near + "_": 1.0})


@each_case
def test_the_level_handed_out_is_a_copy(case: Case) -> None:
    env = case.make()
    env.level.clear()
    assert env.level == case.make().level


@each_case
def test_copies_and_pickles_keep_the_level(case: Case) -> None:
    env = case.make()
    env.set_level(drawn_level(case.make, np.random.default_rng(2)))
    expected = play(env, case.policy, steps=50)
    for twin in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert twin.level == env.level
        assert play(twin, case.policy, steps=50) == expected


@each_case
def test_gymnasiums_checker_says_no_more_than_of_its_own(case: Case) -> None:
    def complaints(env: gymnasium.Env[Any, Any]) -> set[str]:
        env.spec = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            check_env(env)
        return {str(warning.message) for warning in caught}

    ours = case.make()
    ours.set_level({name: ends[1] for name, ends in case.make.KNOBS.items()})
    assert complaints(ours) <= complaints(case.gymnasiums_own())
