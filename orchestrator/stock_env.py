"""The env of a stock RLlib config, built as RLlib builds it, with a level on top of its config."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import load_env_creator
from ray.rllib.env.env_context import EnvContext

from orchestrator.apply import ApplyKind, ReadKeys
from orchestrator.distributions import EnvSpace, Level
from orchestrator.level_env import EnvSetup, LevelEnv, MultiAgentLevelEnv, make_level_env

LEVELED = "envolve"
"""The key of an ``env_config`` under which its `Leveling` stands."""

Creator = Callable[[Any], Any]


@dataclass(frozen=True)
class Leveling:
    """What turns a stock env into one that draws levels.

    Attributes:
        env: a gymnasium id, or what makes an env from an `EnvContext`.
    """

    env: str | Creator
    space: EnvSpace
    apply: ApplyKind
    multi_agent: bool


class LevelContext(ReadKeys, EnvContext):  # type: ignore[misc]
    """RLlib's `EnvContext`, with a level in it.

    A knob that neither the level nor the ``env_config`` gives is no key of it; yet
    ``context["knob"]`` answers with a legal value, so that an env without defaults can be
    built before a level.
    """

    def __init__(self, values: Mapping[str, Any], context: EnvContext, spare: Level) -> None:
        EnvContext.__init__(
            self,
            values,
            worker_index=context.worker_index,
            vector_index=context.vector_index,
            remote=context.remote,
            num_workers=context.num_workers,
            recreated_worker=context.recreated_worker,
        )
        self.read: set[str] = set()
        self.spare = spare

    def __missing__(self, key: str) -> Any:
        return self.spare[key]


@dataclass(frozen=True)
class StockEnv:
    """Makes the env; calling it with a level gives one with the level on top of ``config``."""

    leveling: Leveling
    context: EnvContext
    config: Mapping[str, Any]

    def __call__(self, level: Mapping[str, Any]) -> Any:
        env = self.leveling.env
        if isinstance(env, str):
            # gymnasium's checker would warn about levels and cost every first step.
            given = {"disable_env_checker": True, **self.config, **level}
            return gymnasium.make(env, **given)
        return env(self._context(level))

    def entry_point(self) -> Callable[..., Any] | None:
        """The constructor whose arguments are knobs; None where it takes one config dict."""
        if not isinstance(self.leveling.env, str):
            return None
        module, colon, name = self.leveling.env.rpartition(":")
        if colon:
            importlib.import_module(module)
        entry = gymnasium.spec(name).entry_point
        constructor: Callable[..., Any] | None
        constructor = load_env_creator(entry) if isinstance(entry, str) else entry
        return constructor

    def keys_read(self, level: Mapping[str, Any]) -> set[str] | None:
        """The keys of its config dict that the constructor looks at; None: it takes none."""
        if isinstance(self.leveling.env, str):
            return None
        context = self._context(level)
        self.leveling.env(context).close()
        return context.read

    def _context(self, level: Mapping[str, Any]) -> LevelContext:
        spare = self.leveling.space.initial().sample(np.random.default_rng(0))
        return LevelContext({**self.config, **level}, self.context, spare)


def make_stock_level_env(context: EnvContext) -> LevelEnv | MultiAgentLevelEnv:
    """RLlib's env creator: ``context[LEVELED]`` says what to make, the rest is the env's own."""
    leveling: Leveling = context[LEVELED]
    config = {key: value for key, value in context.items() if key != LEVELED}
    setup = EnvSetup(
        make=StockEnv(leveling, context, config),
        apply=leveling.apply,
        distribution=leveling.space.initial(),
    )
    return make_level_env({"setup": setup, "multi_agent": leveling.multi_agent})
