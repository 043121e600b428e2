"""Envs and set-ups for scenarios that the suites share; importable in Ray's workers too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete
from ray.rllib.env.multi_agent_env import MultiAgentEnv
from rllib_catalogue import METER

from orchestrator.distributions import EnvSpace
from orchestrator.env_setup import EnvSetup
from orchestrator.knobs import Cells, Choice, Continuous, Integer, Simplex
from orchestrator.scenario import Scenario

SEEN = Box(-1.0, 1.0, (2,), np.float32)
STOP, EARN, REST = 0, 1, 2

# One knob of each kind, and of each way in which a generator acts on it.
ALL_KINDS = EnvSpace(
    {
        "gain": Continuous(1.0, 100.0, "log"),
        "horizon": Integer(3, 9),
        "budget": Integer(1, 1000, "log"),
        "layout": Choice(("open", [1, 2], None)),
        "reward": Simplex(("speed", "safety")),
        "walls": Cells(9, 1, 3),
    }
)

ONE = Scenario(1, "minimax", noise=2, recent=3)
TWO = Scenario(2, "regret", noise=2, recent=3)


class Walk(gymnasium.Env[Any, Any]):
    """Pays its gain for each step of earning; stopping terminates it, its horizon truncates it."""

    observation_space = SEEN
    action_space = Discrete(3)

    def set_level(self, level: dict[str, Any]) -> None:
        self.level = level

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self._steps = 0
        return self._see(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self._steps += 1
        paid = self.level["gain"] if action == EARN else 0.0
        stopped, cut = action == STOP, self._steps >= self.level["horizon"]
        return self._see(), paid, bool(stopped), cut, {"is_success": cut}

    def _see(self) -> Any:
        return self.np_random.uniform(-1.0, 1.0, 2).astype(np.float32)


class Duo(MultiAgentEnv):
    """Two that walk together; who stops leaves the other alone, and the horizon truncates all."""

    def __init__(self) -> None:
        super().__init__()
        self.possible_agents = ["a", "b"]
        self.agents: list[str] = []
        self.observation_spaces = dict.fromkeys(self.possible_agents, SEEN)
        self.action_spaces = dict.fromkeys(self.possible_agents, Discrete(3))

    def set_level(self, level: dict[str, Any]) -> None:
        self.level = level

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, Any]:
        self._rng = np.random.default_rng(seed)
        self._steps, self.agents = 0, list(self.possible_agents)
        return self._see(), {}

    def step(self, action_dict: Any) -> tuple[Any, Any, Any, Any, Any]:
        self._steps += 1
        seen = self._see()
        gain = self.level["gain"]
        paid = {each: gain if act == EARN else 0.0 for each, act in action_dict.items()}
        stopped = {each: act == STOP for each, act in action_dict.items()}
        self.agents = [each for each in self.agents if not stopped[each]]
        cut = bool(self.agents) and self._steps >= self.level["horizon"]
        infos = {each: {"is_success": cut} for each in seen}
        return seen, paid, stopped | {"__all__": not self.agents}, {"__all__": cut}, infos

    def _see(self) -> dict[str, Any]:
        return {each: self._rng.uniform(-1, 1, 2).astype(np.float32) for each in self.agents}


class Impostors(Duo):
    """Its agents are called like those of a scenario."""

    def __init__(self) -> None:
        super().__init__()
        self.possible_agents = ["a", "generator", "antagonist/b", "student"]
        self.observation_spaces = dict.fromkeys(self.possible_agents, SEEN)
        self.action_spaces = dict.fromkeys(self.possible_agents, Discrete(3))


def make_walk(level: Mapping[str, Any]) -> Walk:
    """A `Walk`."""
    return Walk()


def make_duo(level: Mapping[str, Any]) -> Duo:
    """A `Duo`."""
    return Duo()


def make_impostors(level: Mapping[str, Any]) -> Impostors:
    """`Impostors`."""
    return Impostors()


def scenario(make: Any, players: Scenario, space: EnvSpace = METER, **more: Any) -> EnvSetup:
    """A set-up in which a generator sets the levels of ``space``."""
    return replace(EnvSetup(make, "method", space.full(), scenario=players), **more)


def chosen(gain: float, horizon: int) -> dict[str, Any]:
    """The action of a generator that sets a level of `METER`."""
    unit = (gain - 1.0) / 9.0
    return {"gain": np.array([2 * unit - 1], np.float32), "horizon": np.int64(horizon - 3)}
