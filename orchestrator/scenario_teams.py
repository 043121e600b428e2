"""A team of students in an env of its own, by the names that they have in a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.env_setup import EnvSetup
from orchestrator.inner_env import InnerEnv
from orchestrator.levels import LevelInfo
from orchestrator.scenario import Scenario, policy_of


@dataclass
class Stepped:
    """What a step of a team brought each of its agents, by their names in the scenario."""

    observations: dict[str, Any] = field(default_factory=dict)
    rewards: dict[str, float] = field(default_factory=dict)
    terminateds: dict[str, bool] = field(default_factory=dict)
    truncateds: dict[str, bool] = field(default_factory=dict)
    infos: dict[str, Any] = field(default_factory=dict)

    def ended(self) -> set[str]:
        """The agents that were terminated or truncated."""
        flags = (*self.terminateds.items(), *self.truncateds.items())
        return {agent for agent, flag in flags if flag}

    def add(self, other: Stepped) -> None:
        """Take in what another team's step brought."""
        for name, values in vars(other).items():
            getattr(self, name).update(values)


class Team:
    """One copy of the inner env and its agents; one agent where the env is a single agent's.

    Attributes:
        inner: its env.
        agents: all that may appear, by their names in the scenario.
        observation_spaces, action_spaces: of each of them.
        living: those that were seen in this episode and have not ended.
        done: whether its episode is over.
        returns: what each agent was paid in this episode so far.
        successes: ``is_success`` of each agent's last ``info`` that had one.

    Raises:
        ValueError: if the name of an agent would give it another team's policy.
    """

    def __init__(self, name: str, scenario: Scenario, setup: EnvSetup) -> None:
        self.name = name
        self.inner = InnerEnv(setup)
        observed, acted = _spaces(self.inner)
        self._names = {each: scenario.agent(name, each) for each in observed}
        self.agents = list(self._names.values())
        taken = [
            agent
            for own, agent in self._names.items()
            if policy_of(agent) != name or own == agent == name
        ]
        if taken:
            raise ValueError(
                "no agent of the env may be called like one of the scenario's own players, "
                f"but the env has {', '.join(taken)}"
            )
        self.observation_spaces = {self._names[each]: space for each, space in observed.items()}
        self.action_spaces = {self._names[each]: space for each, space in acted.items()}
        self.end()

    def end(self) -> None:
        """Nobody plays, as before the first reset and where the team sits an episode out."""
        self.living: set[str] = set()
        self.done = True
        self.returns: dict[str, float] = {}
        self.successes: dict[str, bool] = {}

    def reset(self, level: LevelInfo, seed: int) -> Stepped:
        """Begin an episode; every agent that observes it is told the level."""
        observation, info = self.inner.reset(level, seed, None)
        begun = Stepped(observations=self._by_agent(observation), infos=self._by_agent(info))
        self.end()
        self.done = False
        self.living = set(begun.observations)
        self.returns = dict.fromkeys(begun.observations, 0.0)
        begun.infos = {each: {**begun.infos.get(each, {}), "level": level} for each in self.returns}
        return begun

    def step(self, actions: Mapping[str, Any]) -> Stepped:
        """Act for those of its agents that have an action.

        Where the whole env ends, each of its living agents ends: terminated or truncated, as the
        env has it, but terminated if it waits for its turn, which RLlib cannot truncate.
        """
        own = {each: actions[name] for each, name in self._names.items() if name in actions}
        found = self._stepped(*self.inner.step(own if self.inner.multi_agent else own[None]))
        for agent, reward in found.rewards.items():
            self.returns[agent] = self.returns.get(agent, 0.0) + float(reward)
        for agent, info in found.infos.items():
            if "is_success" in info:
                self.successes[agent] = bool(info["is_success"])
        return found

    def _stepped(
        self, observation: Any, reward: Any, terminated: Any, truncated: Any, info: Any
    ) -> Stepped:
        parts = (observation, reward, terminated, truncated, info)
        found = Stepped(*map(self._by_agent, parts))
        if self.inner.multi_agent:
            terminated, truncated = terminated["__all__"], truncated.get("__all__", False)
        self.living |= found.observations.keys()
        self.living -= found.ended()
        self.done = bool(terminated or truncated)
        if self.done:
            for agent in self.living:
                can_be_cut = not terminated and agent in found.observations
                (found.truncateds if can_be_cut else found.terminateds)[agent] = True
            self.living = set()
        return found

    def _by_agent(self, part: Any) -> dict[str, Any]:
        """By the names in the scenario; what is everybody's, and no agent's, is left out."""
        if not self.inner.multi_agent:
            return {self.name: part}
        return {self._names[each]: value for each, value in part.items() if each in self._names}


def _spaces(inner: InnerEnv) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Of each agent what it observes and how it acts; None is the agent of a single-agent env."""
    env, shown = inner.env, inner.shown
    if not inner.multi_agent:
        seen = env.observation_space if shown is None else shown.space
        return {None: seen}, {None: env.action_space}
    agents = env.possible_agents
    if shown is None:
        observed = {each: env.get_observation_space(each) for each in agents}
    else:
        observed = dict(shown.space)
    return observed, {each: env.get_action_space(each) for each in agents}
