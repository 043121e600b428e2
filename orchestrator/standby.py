"""The members of a population that have no seat, in the order in which they get one."""

from __future__ import annotations

import heapq

from orchestrator.member_state import MemberState
from orchestrator.population import Population
from orchestrator.seats import Seats


class Standby:
    """Finds the member without a seat that is furthest behind and could train now.

    Everybody without a seat is in the queue, at the iteration that member stands at. Who has got
    a seat, or waits or is done, is taken out when it is that one's turn; whoever has become able
    to train without a seat has to be brought back: who lost one (`Seats.left` tells), or who was
    decided about (`come`).
    """

    def __init__(self, population: Population, seats: Seats) -> None:
        self._population = population
        self._seats = seats
        self._queue = [(state.iteration, member) for member, state in population.members.items()]
        heapq.heapify(self._queue)

    def come(self, member: int) -> None:
        """The member may train on once there is a seat."""
        state = self._population.members[member]
        heapq.heappush(self._queue, (state.iteration, member))

    def first(self) -> MemberState | None:
        """Who gets the next seat; the lower number of those at one iteration."""
        for member in self._seats.left(self._population.arm, self._population.seed):
            self.come(member)
        while self._queue:
            iteration, member = self._queue[0]
            state = self._population.members[member]
            if state.iteration == iteration and self._able(state):
                return state
            heapq.heappop(self._queue)
        return None

    def _able(self, state: MemberState) -> bool:
        return (
            self._seats.trial_of(state.key) is None
            and not self._population.done(state.member)
            and not self._population.waiting(state.member)
        )
