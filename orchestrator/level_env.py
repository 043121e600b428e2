"""Wrappers that give each sub-env a level of its own at every reset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium
from ray.rllib.env.multi_agent_env import MultiAgentEnv

from orchestrator.distributions import Distribution
from orchestrator.env_setup import EnvSetup
from orchestrator.inner_env import InnerEnv
from orchestrator.levels import LevelInfo, LevelSource, Play
from orchestrator.scenario_env import ScenarioEnv

__all__ = ["EnvSetup", "LevelEnv", "MultiAgentLevelEnv", "make_level_env"]


class _Levels:
    """What both wrappers share: the inner env, and where its levels come from."""

    env: Any

    def _begin(self, setup: EnvSetup) -> None:
        self._setup = setup
        self._inner = InnerEnv(setup)
        self.env = self._inner.env
        self._levels = LevelSource(setup.distribution, setup.revision)
        self._inner_step = self._inner.step
        self._steps_left: int | None = None

    def set_distribution(self, distribution: Distribution, revision: int) -> int:
        """Draw levels from ``distribution`` from the next reset on; returns the revision held."""
        return self._levels.set_distribution(distribution, revision)

    def held_revision(self) -> int:
        """The revision that the next level will be drawn from."""
        return self._levels.revision

    def schedule(self, plays: Sequence[Play]) -> None:
        """Play these entries of a suite from the next reset on, instead of drawn levels."""
        self._levels.schedule(plays)

    def keep_words(self, folder: Path) -> None:
        """Leave last words in ``folder``, should the env fail after the next reset."""
        self._inner.keep_words(folder)

    def _reset_inner(
        self, seed: int | None, options: dict[str, Any] | None
    ) -> tuple[Any, Any, LevelInfo]:
        if seed is not None:
            self._levels.seed(seed)
        level, level_seed = self._levels.draw()
        if level_seed is not None:
            seed = level_seed
        elif seed is None and self._inner.needs_seed:
            seed = self._levels.env_seed()
        observation, info = self._inner.reset(level, seed, options)
        self.env = self._inner.env
        self._inner_step = self._inner.step
        self._steps_left = None if level_seed is None else self._setup.max_steps
        return observation, info, level


class LevelEnv(_Levels, gymnasium.Wrapper[Any, Any, Any, Any]):
    """A single-agent env that draws and applies a level at each reset.

    ``info["level"]`` of a reset is a `LevelInfo`.
    """

    def __init__(self, setup: EnvSetup) -> None:
        self._begin(setup)
        gymnasium.Wrapper.__init__(self, self.env)
        if self._inner.shown is not None:
            self.observation_space = self._inner.shown.space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        observation, info, level = self._reset_inner(seed, options)
        # The inner step directly: a method in between would cost every env step.
        self.step = self._inner_step if self._steps_left is None else self._step_of_suite  # type: ignore[method-assign, assignment]
        return observation, {**info, "level": level}

    def _step_of_suite(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self._inner_step(action)
        assert self._steps_left is not None
        self._steps_left -= 1
        return observation, reward, terminated, truncated or self._steps_left <= 0, info

    def close(self) -> None:
        self._inner.close()


class MultiAgentLevelEnv(_Levels, MultiAgentEnv):  # type: ignore[misc]
    """A multi-agent env that draws and applies a level at each reset.

    Every agent that observes the reset finds the `LevelInfo` as ``level`` in its ``info``.

    Attributes:
        returns: what each agent was paid in this episode so far. RLlib's episodes lose what an
            agent is paid while it waits for its turn, where `sample` cuts them into chunks.
        successes: ``is_success`` of each agent's last ``info`` that had one.
        length: steps of this episode so far.
    """

    def __init__(self, setup: EnvSetup) -> None:
        self._begin(setup)
        MultiAgentEnv.__init__(self)
        self.metadata = dict(self.env.metadata)
        self.render_mode = self.env.render_mode
        self.observation_spaces = self.env.observation_spaces
        self.action_spaces = self.env.action_spaces
        self.observation_space = self.env.observation_space
        self.action_space = self.env.action_space
        self.possible_agents = list(self.env.possible_agents)
        if self._inner.shown is not None:
            self.observation_spaces = self._inner.shown.space
            self.observation_space = None
        self.returns: dict[str, float] = {}
        self.successes: dict[str, bool] = {}
        self.length = 0

    @property
    def agents(self) -> list[Any]:
        """Agents that are active now."""
        return list(self.env.agents)

    @agents.setter
    def agents(self, agents: list[Any]) -> None:
        """MultiAgentEnv's constructor assigns this; the inner env's own list is what counts."""

    def get_observation_space(self, agent_id: Any) -> Any:
        if self._inner.shown is not None:
            return self._inner.shown.space[agent_id]
        return self.env.get_observation_space(agent_id)

    def get_action_space(self, agent_id: Any) -> Any:
        return self.env.get_action_space(agent_id)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[Any, Any]]:
        observations, infos, level = self._reset_inner(seed, options)
        self.returns, self.successes, self.length = {}, {}, 0
        told = {agent: {**infos.get(agent, {}), "level": level} for agent in observations}
        return observations, told

    def step(self, action_dict: Any) -> tuple[Any, Any, Any, Any, Any]:
        observations, rewards, terminateds, truncateds, infos = self._inner_step(action_dict)
        self.length += 1
        for agent, reward in rewards.items():
            self.returns[str(agent)] = self.returns.get(str(agent), 0.0) + float(reward)
        for agent, info in infos.items():
            if "is_success" in info:
                self.successes[str(agent)] = bool(info["is_success"])
        if self._steps_left is not None:
            self._steps_left -= 1
            if self._steps_left <= 0:
                # Not truncated: RLlib refuses that for an agent that waits for its turn, and
                # nobody learns from a suite.
                terminateds = {**terminateds, "__all__": True}
        return observations, rewards, terminateds, truncateds, infos

    def render(self) -> Any:
        return self.env.render()

    def close(self) -> None:
        self._inner.close()


def make_level_env(config: Mapping[str, Any]) -> LevelEnv | MultiAgentLevelEnv | ScenarioEnv:
    """RLlib's env creator: ``config["setup"]`` is an `EnvSetup`; wraps by the kind of env made."""
    setup: EnvSetup = config["setup"]
    if setup.scenario is not None:
        return ScenarioEnv(setup, setup.scenario)
    if config["multi_agent"]:
        return MultiAgentLevelEnv(setup)
    return LevelEnv(setup)
