"""Who plays in a scenario, where one policy sets the levels that the others act on.

The generator acts in the first step alone, and its action becomes the level; the students act
from the second step on. They are one team, or two that play the level each in an env of its own:
the protagonist, which is what is trained, scored and exported, and the antagonist, which shows
what could have been reached there (PAIRED, Dennis et al. 2020).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from orchestrator import scenario_rewards
from orchestrator.checks import nearest

__all__ = [
    "ANTAGONIST",
    "GENERATOR",
    "PROTAGONIST",
    "STUDENT",
    "Reward",
    "Scenario",
    "own_name",
    "policy_of",
]

GENERATOR = "generator"
STUDENT = "student"
PROTAGONIST = "protagonist"
ANTAGONIST = "antagonist"

Reward = Literal["minimax", "regret", "flexible"] | Callable[[Mapping[str, float]], float]
"""What the generator is paid for an episode; a function gets each student agent's return."""


@dataclass(frozen=True)
class Scenario:
    """How a generator and its students play.

    Attributes:
        teams: 1, or 2 that play the same level from the same seed, each in its own env.
        reward: the generator's; ``minimax`` takes one team, ``regret`` and ``flexible`` take two.
        noise: how many random numbers the generator observes, for it to answer with various
            levels.
        recent: over how many episodes a team's return is averaged that the generator observes.

    Raises:
        ValueError: if these do not go together.
    """

    teams: Literal[1, 2]
    reward: Reward
    noise: int = 8
    recent: int = 20

    def __post_init__(self) -> None:
        if self.teams not in (1, 2):
            raise ValueError(f"`teams` must be 1 or 2, but got {self.teams!r}")
        if not callable(self.reward):
            known = scenario_rewards.TEAMS
            if self.reward not in known:
                raise ValueError(
                    f"`reward` must be a function or one of {', '.join(known)}, "
                    f"but got {self.reward!r}{nearest(self.reward, known)}"
                )
            takes = known[self.reward]
            if takes != self.teams:
                raise ValueError(
                    f"the reward `{self.reward}` takes {takes} team{'s' if takes > 1 else ''}, "
                    f"but got teams={self.teams}"
                )
        if self.noise < 0:
            raise ValueError(f"`noise >= 0` must hold, but got {self.noise}")
        if self.recent < 1:
            raise ValueError(f"`recent >= 1` must hold, but got {self.recent}")

    @property
    def names(self) -> tuple[str, ...]:
        """The teams; the first one is trained for its own sake."""
        return (STUDENT,) if self.teams == 1 else (PROTAGONIST, ANTAGONIST)

    def paid(self, returns: Mapping[str, Mapping[str, float]]) -> float:
        """The generator's reward for an episode, by what each agent of each team returned."""
        if callable(self.reward):
            agents = {agent: value for team in returns.values() for agent, value in team.items()}
            return float(self.reward(agents))
        totals = (math.fsum(returns[team].values()) for team in self.names)
        return scenario_rewards.NAMED[self.reward](*totals)

    def agent(self, team: str, agent: str | None) -> str:
        """The name in the scenario of a team's agent; None is that of an env of a single one."""
        if agent is None:
            return team
        return agent if self.teams == 1 else f"{team}/{agent}"


def policy_of(agent_id: Any, *args: Any, **kwargs: Any) -> str:
    """RLlib's ``policy_mapping_fn``: one policy for the generator and one for each team."""
    head = str(agent_id).partition("/")[0]
    return head if head in (GENERATOR, PROTAGONIST, ANTAGONIST) else STUDENT


def own_name(agent: str) -> str | None:
    """The inverse of `Scenario.agent`: a student's name in its own env, None if it is alone."""
    if agent in (STUDENT, PROTAGONIST, ANTAGONIST):
        return None
    head, _, rest = agent.partition("/")
    return rest if head in (PROTAGONIST, ANTAGONIST) else agent
