"""A live env that levels are brought to, whatever the way, and that is watched over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ray.rllib.env.multi_agent_env import MultiAgentEnv

from orchestrator import apply, watchdog
from orchestrator.conditioning import Condition, ShownToEach, ShownToOne
from orchestrator.env_faults import Guard
from orchestrator.env_setup import EnvSetup
from orchestrator.levels import LevelInfo

Step = Callable[[Any], tuple[Any, Any, Any, Any, Any]]


class InnerEnv:
    """One copy of the user's env.

    Attributes:
        env: the live env; with ``apply: rebuild`` another one at each reset.
        multi_agent: whether it is one of RLlib's MultiAgentEnv.
        shown: what ends its observations with the level; None: nothing does.
        step: its step, guarded; after a `reset`, and until the next.
        needs_seed: whether every reset has to give a seed, because it builds the env anew.

    Raises:
        CannotApply: if levels reach the env in no way.
        ValueError: if its observations have no room for the level that they are to end with.
    """

    def __init__(self, setup: EnvSetup) -> None:
        self._make = setup.make
        self._guard = Guard(setup.timeout)
        if setup.timeout is not None:
            watchdog.watch(setup.timeout)
        self.env = setup.make({})
        self._apply = setup.apply
        if setup.apply == "auto":
            self._apply = apply.choose(self.env, setup.make, setup.distribution.space.knobs)
        self.needs_seed = self._apply == "rebuild"
        # Looked up once: the way through the wrappers would cost as much as a draw.
        self._set_level = apply.method_of(self.env) if self._apply == "method" else None
        self._checked = False
        self.step: Step = self.env.step
        self.multi_agent = isinstance(self.env, MultiAgentEnv)
        self.shown = _shown(setup, self.env)

    def keep_words(self, folder: Path) -> None:
        """Leave last words in ``folder``, should the env fail after the next reset."""
        self._guard.keep_words(folder)

    def reset(
        self, level: LevelInfo, seed: int | None, options: dict[str, Any] | None
    ) -> tuple[Any, Any]:
        """Bring the level to the env, and reset it; what its own reset returns."""
        observation, info = self._guard.reset(level, self._enter, level, seed, options)
        # Bound here and not in every step; `rebuild` brings another env at each reset.
        self.step = self._guard.step(self.env.step)
        if self.shown is not None:
            show = self.shown.shows(level)
            self.step = _showing(show, self.step)
            observation = show(observation)
        return observation, info

    def close(self) -> None:
        """Close the env."""
        self._guard.close()
        self.env.close()

    def _enter(
        self, level: LevelInfo, seed: int | None, options: dict[str, Any] | None
    ) -> tuple[Any, Any]:
        if self._set_level is not None:
            self._set_level(level.plain())
        elif self._apply == "attributes":
            apply.set_attributes(self.env, level)
        elif self._apply == "method":
            apply.set_by_method(self.env, level)
        elif self._apply == "rebuild":
            self._rebuild(level)
        if self._apply == "options":
            return self._reset_with_options(level, seed, options)
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, info

    def _rebuild(self, level: Mapping[str, Any]) -> None:
        env = self._make(level)
        self.env.close()
        self.env = env

    def _reset_with_options(
        self, level: LevelInfo, seed: int | None, options: dict[str, Any] | None
    ) -> tuple[Any, Any]:
        merged = apply.ReadKeys({**(options or {}), **level})
        observation, info = self.env.reset(seed=seed, options=merged)
        if not self._checked:
            merged.check(level, f"`reset(options=...)` of {type(self.env.unwrapped).__name__}")
            self._checked = True
        return observation, info


def _shown(setup: EnvSetup, env: Any) -> ShownToOne | ShownToEach | None:
    if not setup.condition:
        return None
    condition = Condition(setup.distribution.space, setup.condition)
    if isinstance(env, MultiAgentEnv):
        agents = env.possible_agents
        return ShownToEach(condition, {each: env.get_observation_space(each) for each in agents})
    return ShownToOne(condition, env.observation_space)


def _showing(show: Callable[[Any], Any], step: Step) -> Step:
    def showing(action: Any) -> tuple[Any, Any, Any, Any, Any]:
        observation, reward, terminated, truncated, info = step(action)
        return show(observation), reward, terminated, truncated, info

    return showing
