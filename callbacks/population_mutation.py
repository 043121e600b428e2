"""The Tune callback that mutates the env distributions of a population between iterations."""

from __future__ import annotations

from typing import Any

from ray.tune import Callback

from orchestrator import crash_points
from orchestrator.hooks import never_raises
from orchestrator.ledger import Ledger
from orchestrator.records import Mutation
from orchestrator.seats import Seats


class PopulationMutation(Callback):  # type: ignore[misc]
    """Gives the members of populations the distributions that their curriculum of the driver says.

    Runs after the scheduler has decided a boundary and before anyone trains on. Each change
    is a new revision: journalled, then sent to the member's actor as a directive.
    """

    def __init__(self, ledger: Ledger, seats: Seats) -> None:
        self.ledger = ledger
        self._seats = seats

    @never_raises(None)
    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        population = self.ledger.populations[result["arm"], result["seed"]]
        mutations = population.moves()
        self.ledger.record(*mutations)
        if mutations:
            crash_points.reached("mutation.recorded")
        for mutation in mutations:
            assert isinstance(mutation, Mutation)
            self._seats.redistribute(population.members[mutation.member])
