"""Which policy acts for which agent: what RLlib calls in its workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: The policy of all agents, where a file names none.
SHARED = "shared"


@dataclass(frozen=True)
class OnePolicy:
    """Maps every agent to one policy."""

    policy: str

    def __call__(self, agent_id: Any, *args: Any, **kwargs: Any) -> str:
        """The policy, whatever the agent and the episode."""
        return self.policy


def own_policy(agent_id: Any, *args: Any, **kwargs: Any) -> str:
    """Maps each agent to the policy of its own name."""
    return str(agent_id)
