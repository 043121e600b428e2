"""What drawing and applying a level adds to an env's own reset, and what to its steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import DictInfoToList

from benchmarks.measure import Aim, Block, Measurement, alternated
from benchmarks.setting import QUICKSTART, narrow
from experiments.env_source import EnvSource
from experiments.envs.cartpole import CartPole
from experiments.loading import load
from experiments.spaces import to_space
from orchestrator.apply import ApplyKind
from orchestrator.level_env import EnvSetup, LevelEnv

Env: TypeAlias = gymnasium.Env[Any, Any]

_AIM = Aim(20.0)
_REPEATS = 40
_RESETS = 400
_STEPS = 400
_ENVS = 16
_ACTIONS = np.random.default_rng(0).integers(0, 2, (_STEPS, _ENVS))
# The built-in env has a method; gymnasium's own has attributes alone.
_WAYS: tuple[tuple[str, ApplyKind], ...] = (("CartPole", "method"), ("CartPole-v1", "attributes"))


def measure() -> Iterator[Measurement]:
    """One env by itself, and in a vector env as RLlib makes and steps it."""
    space = to_space(load(QUICKSTART).arms["main"])
    for name, way in _WAYS:
        source = EnvSource(name)
        setup = EnvSetup(make=source, apply=way, distribution=narrow(space, CartPole.SETTABLE))
        bare, levels = partial(source, {}), partial(LevelEnv, setup)
        added = f"added by {name}'s levels ({way})"
        pairs = _per_call(_resets(bare()), _resets(levels()), _RESETS)
        yield Measurement(f"stock: reset of {name}", "µs", tuple(own for own, _ in pairs))
        yield Measurement(f"reset, {added}", "µs", tuple(both - own for own, both in pairs), _AIM)
        in_vector = tuple(_per_reset(_Walk(bare), _Walk(levels)))
        what = f"reset within RLlib's vector of {_ENVS}, info included, {added}"
        yield Measurement(what, "µs", in_vector, _AIM)
        pairs = _per_call(_steps(bare()), _steps(levels()), _STEPS)
        yield Measurement(f"stock: step of {name}", "µs", tuple(own for own, _ in pairs))
        yield Measurement(f"step, {added}", "µs", tuple(both - own for own, both in pairs))


def _per_call(bare: Block, levels: Block, calls: int) -> list[tuple[float, float]]:
    taken = alternated(bare, levels, _REPEATS)
    return [(own / calls * 1e6, both / calls * 1e6) for own, both in taken]


def _resets(env: Env) -> Block:
    env.reset(seed=0)

    def block() -> None:
        for _ in range(_RESETS):
            env.reset()

    return block


def _steps(env: Env) -> Block:
    env.reset(seed=0)

    def block() -> None:
        # Its one reset is the price of blocks that are alike: a fallen pole costs other steps.
        observation, _ = env.reset()
        for _ in range(_STEPS):
            # Keeps the pole up, mostly for the whole block.
            action = 1 if observation[2] + observation[3] > 0 else 0
            observation, *_ = env.step(action)

    return block


class _Walk:
    """Steps a vector env through the same random actions over and over.

    Attributes:
        resets: how many sub-envs were reset in the last block.
    """

    def __init__(self, make: Callable[[], Env]) -> None:
        envs = SyncVectorEnv([make] * _ENVS, autoreset_mode=AutoresetMode.NEXT_STEP)
        self._envs = DictInfoToList(envs)
        self._envs.reset(seed=0)
        self.resets = 0

    def __call__(self) -> None:
        self.resets = 0
        for actions in _ACTIONS:
            _, _, terminated, truncated, _ = self._envs.step(actions)
            self.resets += int((terminated | truncated).sum())


def _per_reset(bare: _Walk, levels: _Walk) -> Iterator[float]:
    """What levels add to the time of a block, in µs for each reset in it.

    Resets come one by one between steps, so they find no warm caches, and each of them has
    RLlib's vector env take an ``info`` apart.
    """
    for own, both in alternated(bare, levels, _REPEATS):
        if bare.resets != levels.resets:
            raise RuntimeError(
                "both must play the same episodes, but they were reset "
                f"{bare.resets} and {levels.resets} times"
            )
        yield (both - own) / levels.resets * 1e6
