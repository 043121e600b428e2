"""An env in which one policy sets the level in the first step, and others act from then on."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from ray.rllib.env.multi_agent_env import MultiAgentEnv

from orchestrator.distributions import Distribution
from orchestrator.env_setup import EnvSetup
from orchestrator.generator_actions import GeneratorActions
from orchestrator.levels import LevelInfo, LevelSource, Play
from orchestrator.scenario import GENERATOR, Scenario
from orchestrator.scenario_teams import Stepped, Team

__all__ = ["ScenarioEnv", "squashed"]


class ScenarioEnv(MultiAgentEnv):  # type: ignore[misc]
    """A generator, and one or two teams of students that play the level that it sets.

    The reset is observed by the generator alone: some noise, and how the teams did lately in
    this sub-env. Its action is the level of the episode; with it the students' envs are reset,
    all from the same seed, and the students see their first observations, with the level in
    ``info``. A team whose episode is over waits for the other.

    One step after the last student has ended, the generator gets its reward, a last observation
    and the end. Not in the same step: RLlib calls a student that was cut off terminated if another
    agent is terminated with it. The reward comes together with an observation because RLlib loses
    what an agent is paid while it waits, where `sample` cuts an episode into chunks; its one
    action is kept over all cuts, as long as ``episode_lookback_horizon`` is not 0.

    In the plays of a suite there is no generator and no second team: the reset brings the play's
    level, and it is observed by the agents that are scored.

    Attributes:
        length: steps of this episode so far in which students acted.

    Raises:
        ValueError: if a generator cannot set the levels, or an agent is called like a player.
    """

    def __init__(self, setup: EnvSetup, scenario: Scenario) -> None:
        self._max_steps = setup.max_steps
        self._scenario = scenario
        self._actions = GeneratorActions(setup.distribution.space)
        self._levels = LevelSource(setup.distribution, setup.revision)
        self._teams = [Team(name, scenario, setup) for name in scenario.names]
        self._recent: dict[str, deque[float]] = {
            name: deque(maxlen=scenario.recent) for name in scenario.names
        }
        self._rng = np.random.default_rng()
        self._scheduled = self._waits_for_level = False
        self._seen: npt.NDArray[np.float32] | None = None
        self._paid: float | None = None
        MultiAgentEnv.__init__(self)
        context = gymnasium.spaces.Box(-1.0, 1.0, (scenario.noise + scenario.teams,), np.float32)
        self.observation_spaces = {GENERATOR: context}
        self.action_spaces = {GENERATOR: self._actions.space}
        for team in self._teams:
            self.observation_spaces |= team.observation_spaces
            self.action_spaces |= team.action_spaces
        self.possible_agents = list(self.observation_spaces)
        self.metadata = dict(self.env.metadata)
        self.render_mode = self.env.render_mode
        self.length = 0

    @property
    def agents(self) -> list[str]:
        """Agents that are active now."""
        if self._waits_for_level:
            return [GENERATOR]
        return [agent for team in self._teams for agent in team.agents if agent in team.living]

    @agents.setter
    def agents(self, agents: list[str]) -> None:
        """MultiAgentEnv's constructor assigns this; who plays is what counts."""

    @property
    def returns(self) -> dict[str, float]:
        """What each agent was paid in this episode so far."""
        students = {agent: paid for team in self._teams for agent, paid in team.returns.items()}
        return students if self._paid is None else students | {GENERATOR: self._paid}

    @property
    def env(self) -> Any:
        """The env of those that are scored."""
        return self._teams[0].inner.env

    @property
    def successes(self) -> dict[str, bool]:
        """``is_success`` of the last ``info`` that had one, of each agent that is scored."""
        return self._teams[0].successes

    def set_distribution(self, distribution: Distribution, revision: int) -> int:
        """Count levels under ``revision`` from now on; the generator draws from no distribution."""
        return self._levels.set_distribution(distribution, revision)

    def held_revision(self) -> int:
        """The revision that the next level will be counted under."""
        return self._levels.revision

    def schedule(self, plays: Sequence[Play]) -> None:
        """Play these entries of a suite from the next reset on, without the generator."""
        self._levels.schedule(plays)
        self._scheduled = bool(plays)

    def keep_words(self, folder: Path) -> None:
        """Leave last words in ``folder``, should an env fail after the next reset."""
        for team in self._teams:
            team.inner.keep_words(folder)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        if seed is not None:
            # All that one episode leaves to the next begins anew, so that the seed decides it.
            self._rng = np.random.default_rng(seed)
            for returns in self._recent.values():
                returns.clear()
        for team in self._teams:
            team.end()
        self._paid, self.length = None, 0
        self._waits_for_level = not self._scheduled
        if self._scheduled:
            level, level_seed = self._levels.draw()
            assert level_seed is not None
            begun = self._begin(self._teams[:1], level, level_seed)
            return begun.observations, begun.infos
        self._seen = self._context()
        return {GENERATOR: self._seen}, {GENERATOR: {}}

    def step(self, action_dict: Mapping[str, Any]) -> tuple[Any, Any, Any, Any, Any]:
        if self._waits_for_level:
            self._waits_for_level = False
            values = self._actions.level(action_dict[GENERATOR], self._rng)
            level = LevelInfo(values, self._levels.revision)
            found = self._begin(self._teams, level, int(self._rng.integers(2**31 - 1)))
        elif self._playing():
            found = self._play(action_dict)
        else:
            return self._pay()
        over = self._scheduled and (not self._playing() or self.length >= self._max_steps)
        return (
            found.observations,
            found.rewards,
            {**found.terminateds, "__all__": over},
            {**found.truncateds, "__all__": False},
            found.infos,
        )

    def render(self) -> Any:
        return self.env.render()

    def close(self) -> None:
        for team in self._teams:
            team.inner.close()

    def _begin(self, teams: Sequence[Team], level: LevelInfo, seed: int) -> Stepped:
        found = Stepped()
        for team in teams:
            found.add(team.reset(level, seed))
        return found

    def _play(self, actions: Mapping[str, Any]) -> Stepped:
        self.length += 1
        found = Stepped()
        for team in self._teams:
            if not team.done:
                found.add(team.step(actions))
        return found

    def _playing(self) -> bool:
        return not all(team.done for team in self._teams)

    def _pay(self) -> tuple[Any, Any, Any, Any, Any]:
        """The end of the generator's episode, and of all."""
        self._paid = self._scenario.paid({team.name: team.returns for team in self._teams})
        for team in self._teams:
            self._recent[team.name].append(sum(team.returns.values()))
        ends = {GENERATOR: True, "__all__": True}
        return {GENERATOR: self._seen}, {GENERATOR: self._paid}, ends, {"__all__": False}, {}

    def _context(self) -> npt.NDArray[np.float32]:
        noise = self._rng.uniform(-1.0, 1.0, self._scenario.noise)
        recent = [squashed(sum(each) / max(1, len(each))) for each in self._recent.values()]
        return np.concatenate((noise, recent), dtype=np.float32, casting="same_kind")


def squashed(value: float) -> float:
    """A return of any size as a number from -1 to 1, in order, that tells 1 from 10 from 1000.

    x = log(1 + abs(value)), as x / (1 + x), with the sign of the value.
    """
    size = np.log1p(abs(value))
    return float(np.copysign(size / (1 + size), value))
