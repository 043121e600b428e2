"""``kind: replay``: the distributions that another member saw, at the iterations it saw them at."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from orchestrator.curricula.base import Curriculum, Move, Outlook, Owner, Seen, Stand
from orchestrator.distributions import Distribution, EnvSpace


@dataclass(frozen=True)
class Scheduled(Curriculum):
    """Each distribution from its iteration on, whatever is seen.

    It runs in the member, so that a change may come after any iteration, boundary or not. The
    state is how many iterations the member has behind it.

    Attributes:
        schedule: (iteration, distribution) pairs: trained on from the iteration after that on.

    Raises:
        ValueError: if it does not begin at iteration 0, or its iterations do not ascend.
    """

    owner: ClassVar[Owner] = "member"

    schedule: tuple[tuple[int, Distribution], ...]

    def __post_init__(self) -> None:
        iterations = [iteration for iteration, _ in self.schedule]
        if iterations[:1] != [0]:
            raise ValueError(f"`schedule` must begin at iteration 0, but got {iterations[:1]}")
        for earlier, later in itertools.pairwise(iterations):
            if later <= earlier:
                raise ValueError(
                    f"the iterations of `schedule` must ascend, but {later} follows {earlier}"
                )

    def begin(self, space: EnvSpace) -> Stand:
        for iteration, distribution in self.schedule:
            if distribution.space != space:
                raise ValueError(
                    f"a schedule must be over the knobs {list(space.names)} and their legal "
                    f"ranges, but that of iteration {iteration} is of another env space"
                )
        return Stand(self.schedule[0][1], {"iteration": 0})

    def observe(self, stand: Stand, seen: Seen) -> Stand:
        return Stand(stand.distribution, {"iteration": seen.iteration})

    def move(self, stand: Stand, rng: np.random.Generator) -> Move | None:
        """The distribution that is due, if that is another one."""
        del rng
        place = self._place(stand)
        due = self.schedule[place][1]
        if due == stand.distribution:
            return None
        return Move(Stand(due, stand.state), f"as scheduled ({place} of {len(self.schedule) - 1})")

    def outlook(self, stand: Stand) -> Outlook:
        following = self.schedule[self._place(stand) + 1 :]
        if not following:
            return Outlook("stays to the end, as scheduled")
        return Outlook(f"moves after iteration {following[0][0]}, as scheduled")

    def _place(self, stand: Stand) -> int:
        """The entry of the schedule that is in force from here on."""
        behind: int = stand.state["iteration"]
        return sum(iteration <= behind for iteration, _ in self.schedule) - 1
