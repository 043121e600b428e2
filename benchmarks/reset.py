"""What drawing and applying a level adds to an env's own reset, and what to its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import gymnasium
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import DictInfoToList

from benchmarks.measure import Aim, Measurement, alternated
from benchmarks.setting import QUICKSTART
from experiments.env_source import EnvSource
from experiments.loading import load
from experiments.spaces import to_space
from orchestrator.apply import ApplyKind
from orchestrator.distributions import EnvSpace
from orchestrator.level_env import EnvSetup, LevelEnv

Env: TypeAlias = gymnasium.Env[Any, Any]

_AIM = Aim(20.0)
_REPEATS = 40
_RESETS = 400
_STEPS = 400
_ENVS = 16
# The built-in env has a method; gymnasium's own has attributes alone.
_WAYS: tuple[tuple[str, ApplyKind], ...] = (("CartPole", "method"), ("CartPole-v1", "attributes"))


def measure() -> Iterator[Measurement]:
    """One env by itself, and in a vector env as RLlib makes it."""
    space = to_space(load(QUICKSTART).arms["main"])
    for name, way in _WAYS:
        bare, levels = _makers(name, way, space)
        added = f"{name}, levels by {way}"
        yield from _compared("reset", added, _resets(bare()), _resets(levels()), _RESETS)
        one, other = (_vector_resets(_vector(make)) for make in (bare, levels))
        yield from _compared(f"reset in a vector of {_ENVS}", added, one, other, _RESETS)
        yield from _compared("step", added, _steps(bare()), _steps(levels()), _STEPS)


def _makers(
    name: str, way: ApplyKind, space: EnvSpace
) -> tuple[Callable[[], Env], Callable[[], Env]]:
    source = EnvSource(name)
    setup = EnvSetup(make=source, apply=way, distribution=space.full())
    return lambda: source({}), lambda: LevelEnv(setup)


def _compared(
    what: str, added: str, bare: Callable[[], None], levels: Callable[[], None], calls: int
) -> Iterator[Measurement]:
    """The env's own time per call, and the levels' on top of it."""
    pairs = [
        (own / calls * 1e6, both / calls * 1e6) for own, both in alternated(bare, levels, _REPEATS)
    ]
    aim = None if what == "step" else _AIM
    yield Measurement(f"stock: {what} of the env alone", "µs", tuple(own for own, _ in pairs))
    yield Measurement(
        f"{what}, added by {added}", "µs", tuple(both - own for own, both in pairs), aim
    )


def _resets(env: Env) -> Callable[[], None]:
    env.reset(seed=0)

    def block() -> None:
        for _ in range(_RESETS):
            env.reset()

    return block


def _vector(make: Callable[[], Env]) -> DictInfoToList:
    envs = SyncVectorEnv([make] * _ENVS, autoreset_mode=AutoresetMode.NEXT_STEP)
    return DictInfoToList(envs)


def _vector_resets(envs: DictInfoToList) -> Callable[[], None]:
    envs.reset(seed=0)

    def block() -> None:
        for _ in range(_RESETS // _ENVS):
            envs.reset()

    return block


def _steps(env: Env) -> Callable[[], None]:
    env.reset(seed=0)

    def block() -> None:
        # Its one reset is the price of blocks that are alike: a fallen pole costs other steps.
        observation, _ = env.reset()
        for _ in range(_STEPS):
            # Keeps the pole up, on most levels for the whole block.
            action = 1 if observation[2] + observation[3] > 0 else 0
            observation, *_ = env.step(action)

    return block
