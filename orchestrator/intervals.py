"""What members' hyperparameters came to, from one boundary to the next."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orchestrator.explore import Interval

# What explorers look back on; journals may hold far more.
_KEPT = 1000


class Intervals:
    """A fold over the journal: intervals that have ended, and one that runs for each member."""

    def __init__(self) -> None:
        # By the iteration of the end, and the member; the keys in order.
        self._ended: dict[tuple[int, int], Interval] = {}
        self._keys: list[tuple[int, int]] = []
        self._running: dict[int, Interval] = {}

    def begin(
        self, member: int, iteration: int, values: Mapping[str, Any], score: float | None
    ) -> None:
        """The member goes on with these values from this score; nothing, if it does already."""
        if member not in self._running and score is not None and math.isfinite(score):
            self._running[member] = Interval(member, iteration, values, score, None)

    def end(self, member: int, iteration: int, score: float | None) -> None:
        """The member was scored; where it was put back and is scored again, nothing changes."""
        running = self._running.pop(member, None)
        if running is None or score is None:
            return
        key = (iteration, member)
        if key not in self._ended:
            bisect.insort(self._keys, key)
        self._ended[key] = replace(running, after=score)
        if len(self._keys) > 2 * _KEPT:
            self._keys = self._keys[-_KEPT:]
            self._ended = {key: self._ended[key] for key in self._keys}

    def forget(self, member: int) -> None:
        """The member was put back behind where its interval began."""
        self._running.pop(member, None)

    def history(self) -> tuple[Interval, ...]:
        """The newest that ended, then those that run.

        In the order of iterations and members: the order in which members came in, which
        differs from run to run, must not decide what an explorer draws.
        """
        ended = (self._ended[key] for key in self._keys[-_KEPT:])
        return (*ended, *(each for _, each in sorted(self._running.items())))
