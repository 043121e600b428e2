"""The Tune callback that mutates env distributions between iterations."""

from __future__ import annotations

from typing import Any

from ray.tune import Callback

from orchestrator import crash_points
from orchestrator.hooks import never_raises
from orchestrator.ledger import Ledger
from orchestrator.records import Mutation
from orchestrator.seats import Seats


class EnvMutation(Callback):  # type: ignore[misc]
    """Gives members the distributions that their training returns have earned.

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
        mutations = population.widen()
        self.ledger.record(*mutations)
        if mutations:
            crash_points.reached("mutation.recorded")
        for mutation in mutations:
            assert isinstance(mutation, Mutation)
            self._seats.redistribute(population.members[mutation.member])
