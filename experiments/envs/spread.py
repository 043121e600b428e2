"""Spread: agents that share out landmarks, with levels that weigh rewards and set the start."""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Integral
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box, Discrete
from mpe2.simple_spread.simple_spread import Scenario
from ray.rllib.env.multi_agent_env import MultiAgentEnv

from experiments.envs.levels import Settable, checked, suggested

__all__ = ["TERMS", "Spread"]

#: The terms of the reward, in the order of `local_ratio`'s 0 and 1.
TERMS: tuple[str, str] = ("coverage", "collisions")

#: Forces of the actions: none, left, right, down, up; mpe2's own.
_FORCES = 5.0 * np.array([(0.0, 0.0), (-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)])
#: Agents that stood at one point would not push each other apart: their distance has no direction.
_LEAST_SPREAD = 1e-3

_NUMBERS: Mapping[str, Settable] = MappingProxyType(
    {
        "local_ratio": Settable(0.5, (0.0, 1.0), (0.0, 1.0)),
        "spread_agents": Settable(1.0, (0.0, 1.0), (0.0, 2.0)),
        "spread_landmarks": Settable(1.0, (0.0, 1.0), (0.0, 2.0)),
        "offset": Settable(0.0, (0.0, 1.0), (0.0, 2.0)),
    }
)


class Spread(MultiAgentEnv):  # type: ignore[misc]
    """MPE's simple_spread (package mpe2) with levels: N agents cover N landmarks.

    Physics, collisions and, at the default level, the start are mpe2's. Every agent, `agent_0` to
    `agent_{N-1}`, has the same two spaces, so that one policy can act for all. It observes its own
    velocity and place and, relative to its place, all landmarks and the other agents; mpe2 adds
    their messages, which are nought in this env and left out here. The actions are mpe2's five:
    nothing, left, right, down, up.

    An agent's reward is the sum of two terms by their weights. Both are in its `info` as
    `reward_terms`, whatever the weights:

    - `coverage`, shared: minus the sum, over landmarks, of the distance of the nearest agent;
    - `collisions`, its own: minus the number of agents that it overlaps with.

    `info["is_success"]` says whether every landmark has an agent within 0.1 of it, mpe2's radius
    of capture; that of the last step counts. Episodes are truncated after `max_cycles` steps and
    end no other way.

    The constructor's config has, besides knobs, `agents` (3) and `max_cycles` (25). The number of
    agents is no knob: it decides the spaces, and an agent's are the same on every level.

    knob | meaning
    --- | ---
    local_ratio | weight of `collisions`; that of `coverage` is the rest of 1
    mix | the two weights by name, which sum to 1: another way to say the same; not both at once
    spread_agents | agents start uniformly in the square of ± this around the centre
    spread_landmarks | landmarks lie uniformly in the square of ± this around a centre of their own
    offset | distance of that from the agents', in a direction drawn at each reset
    """

    #: Knobs: numbers by their legal ranges, and the terms of `mix`.
    SETTABLE: ClassVar[Mapping[str, Any]] = MappingProxyType({**_NUMBERS, "mix": TERMS})
    #: Suggested range (low, high) of each knob that is a number.
    KNOBS: ClassVar[Mapping[str, tuple[float, float]]] = suggested(_NUMBERS)
    #: Keys of the config that are no knobs, and their defaults.
    FIXED: ClassVar[Mapping[str, int]] = MappingProxyType({"agents": 3, "max_cycles": 25})

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        """`config` fixes knobs; raises ValueError for an unknown key or an illegal value."""
        config = dict(config or {})
        count, self.max_cycles = (
            _whole(name, config.pop(name, default)) for name, default in self.FIXED.items()
        )
        super().__init__()
        self._scenario = Scenario()
        self._world = self._scenario.make_world(count)
        self._world.dim_c = 0
        self.possible_agents = [agent.name for agent in self._world.agents]
        self.agents = list(self.possible_agents)
        seen = Box(-np.inf, np.inf, (4 * count + 2,), np.float32)
        self.observation_spaces = dict.fromkeys(self.possible_agents, seen)
        act: Discrete[np.int64] = Discrete(len(_FORCES))
        self.action_spaces = dict.fromkeys(self.possible_agents, act)
        self._cycles = 0
        self._fixed: dict[str, Any] = {name: knob.default for name, knob in _NUMBERS.items()}
        self.set_level(config)
        self._fixed = self.level

    @property
    def level(self) -> dict[str, Any]:
        """Every knob's present value; of `local_ratio` and `mix` the one that was given."""
        return dict(self._level)

    def set_level(self, level: Mapping[str, Any]) -> None:
        """Set the knobs that `level` names; to be called before `reset`.

        Knobs that it does not name return to their values in the constructor's config. Raises
        ValueError, and changes nothing, if a knob is unknown or a value illegal.
        """
        given = _checked(level)
        kept = dict(self._fixed)
        if "mix" in given:
            kept.pop("local_ratio", None)
        if "local_ratio" in given:
            kept.pop("mix", None)
        self._level = kept | given
        local = self._level.get("local_ratio")
        self._weights = self._level["mix"] if local is None else _weights(local)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, dict[str, Any]]]:
        """Start an episode with agents and landmarks where the level puts them."""
        super().reset(seed=seed, options=options)
        self._scenario.reset_world(self._world, self.np_random)
        angle = self.np_random.uniform(0, 2 * math.pi)
        centre = self._level["offset"] * np.array([math.cos(angle), math.sin(angle)])
        for agent in self._world.agents:
            agent.state.p_pos = agent.state.p_pos * max(self._level["spread_agents"], _LEAST_SPREAD)
        for mark in self._world.landmarks:
            mark.state.p_pos = mark.state.p_pos * self._level["spread_landmarks"] + centre
        self._cycles = 0
        return self._observations(), {agent: {} for agent in self.possible_agents}

    def step(self, action_dict: Mapping[str, int]) -> tuple[Any, Any, Any, Any, Any]:
        """Move every agent for a tenth of a second."""
        for agent in self._world.agents:
            agent.action.u = _FORCES[action_dict[agent.name]]
        self._world.step()
        self._cycles += 1
        nearest, overlaps = self._measured()
        terms = [
            {"coverage": float(-nearest.sum()), "collisions": float(-others)} for others in overlaps
        ]
        rewards = [sum(self._weights[name] * each[name] for name in TERMS) for each in terms]
        covered = bool((nearest < Scenario.CAPTURE_RADIUS).all())
        infos = [{"reward_terms": each, "is_success": covered} for each in terms]
        return (
            self._observations(),
            dict(zip(self.possible_agents, rewards, strict=True)),
            self._all(False),
            self._all(self._cycles >= self.max_cycles),
            dict(zip(self.possible_agents, infos, strict=True)),
        )

    def _measured(self) -> tuple[np.ndarray, np.ndarray]:
        """Distance of the nearest agent to each landmark; the others that each agent overlaps."""
        agents = np.array([agent.state.p_pos for agent in self._world.agents])
        landmarks = np.array([mark.state.p_pos for mark in self._world.landmarks])
        sizes = np.array([agent.size for agent in self._world.agents])
        nearest = _distances(landmarks, agents).min(axis=1)
        overlapping = _distances(agents, agents) < sizes[:, None] + sizes
        return nearest, overlapping.sum(axis=1) - 1  # Each agent overlaps with itself.

    def _observations(self) -> dict[str, np.ndarray]:
        return {
            agent.name: self._scenario.observation(agent, self._world).astype(np.float32)
            for agent in self._world.agents
        }

    def _all(self, value: bool) -> dict[str, bool]:
        return dict.fromkeys([*self.possible_agents, "__all__"], value)


def _distances(ends: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Distance of each of `starts`, (n, 2), to each of `ends`, (m, 2); of shape (m, n)."""
    apart: np.ndarray = np.sqrt(np.square(ends[:, None] - starts).sum(axis=-1))
    return apart


def _weights(local_ratio: float) -> dict[str, float]:
    return dict(zip(TERMS, (1 - local_ratio, local_ratio), strict=True))


def _checked(level: Mapping[str, Any]) -> dict[str, Any]:
    """`level` with plain numbers; raises ValueError for what is unknown or illegal."""
    if not isinstance(level, Mapping) or "mix" not in level:
        return checked("Spread", level, Spread.SETTABLE)
    if "local_ratio" in level:
        raise ValueError(
            "illegal level for Spread: one of `mix` and `local_ratio` must be given, but got both; "
            "`mix` says what local_ratio says, by name"
        )
    numbers = {name: value for name, value in level.items() if name != "mix"}
    return {**checked("Spread", numbers, Spread.SETTABLE), "mix": _mix(level["mix"])}


def _mix(value: Any) -> dict[str, float]:
    weights = value if isinstance(value, Mapping) else {}
    legal = weights.keys() <= set(TERMS) and all(
        isinstance(weight, int | float) and not isinstance(weight, bool) and weight >= 0
        for weight in weights.values()
    )
    if not legal or not math.isclose(sum(weights.values()), 1.0, abs_tol=1e-6):
        raise ValueError(
            "illegal level for Spread: `mix` must give `coverage` and `collisions` weights of at "
            f"least 0 that sum to 1, but got {value!r}"
        )
    return {name: float(weights.get(name, 0.0)) for name in TERMS}


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(
            f"`{name}` of Spread must be a whole number of at least 1, but got {value!r}"
        )
    return int(value)
