"""Which mode and interval to choose, by what the model says of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from benchmarks.curricula.tables import Line
from benchmarks.model.costs import Costs
from benchmarks.model.curves import (
    MODES,
    SLOW_ITERATIONS,
    SLOW_MEMBERS,
    Case,
    efficiency,
    lengthened,
    straggling,
)

__all__ = ["Choice", "best", "lines"]

INTERVALS = (1, 2, 4, 8, 16, 32)
SIZES = (8, 64, 256)

# A shorter interval is worth so much efficiency, and synchronous mode, in which all are compared
# at the same age and a resumed run is the same bit for bit, so much.
_SHORTER = 0.05
_SYNC = 0.1

_STRAGGLERS = ((SLOW_ITERATIONS, 0.0), (SLOW_ITERATIONS, 0.3), (SLOW_MEMBERS, 0.3))


@dataclass(frozen=True)
class Choice:
    """A mode and an interval, and how efficient they are.

    Attributes:
        given_up: how much more efficient the other mode would be, at its own interval.
    """

    mode: str
    interval: int
    efficiency: float
    given_up: float = 0.0

    def __str__(self) -> str:
        return f"{self.mode}, {self.interval}: {self.efficiency:.2f} ({self.given_up:+.2f})"


def best(found: Mapping[tuple[str, int], float]) -> Choice:
    """The choice, given the efficiency of every mode and interval.

    Of each mode the shortest interval that is next to its best; of the two modes the synchronous
    one, unless the other is well ahead.
    """
    sync, other = (_shortest(mode, found) for mode in MODES)
    ahead = other.efficiency - sync.efficiency
    return replace(other, given_up=-ahead) if ahead > _SYNC else replace(sync, given_up=ahead)


def _shortest(mode: str, found: Mapping[tuple[str, int], float]) -> Choice:
    own = {interval: value for (name, interval), value in found.items() if name == mode}
    enough = max(own.values()) - _SHORTER
    interval = min(interval for interval, value in own.items() if value >= enough)
    return Choice(mode, interval, own[interval])


def lines(costs: Costs) -> Iterator[Line]:
    """A line for each kind of work, stragglers and failures, with a choice for each size."""
    for those in (costs, lengthened(costs)):
        for kind, spread in _STRAGGLERS:
            for failures in (0.0, 0.1):
                met = [
                    straggling(Case(size, "sync", failures=failures), kind, spread)
                    for size in SIZES
                ]
                yield {
                    "iteration s": f"{those.train.mean:.2g}",
                    "stragglers": f"{kind}, {spread:g}" if spread else "none",
                    "failures per member-hour": f"{failures:g}",
                    **{f"{case.members} members": str(_choice(case, those)) for case in met},
                }


def _choice(met: Case, costs: Costs) -> Choice:
    found = {}
    for mode in MODES:
        for interval in INTERVALS:
            found[mode, interval] = efficiency(replace(met, mode=mode, interval=interval), costs)
    return best(found)
