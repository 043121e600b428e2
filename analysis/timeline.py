"""Which rows of a journal still stand, and which of several holds, without a look at each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.columns import Ints


class Timeline:
    """Events in the journal's order, group by group.

    A place is the number of a record in the journal; of one group no two events share one.
    """

    def __init__(self, groups: Ints, places: Ints, span: int) -> None:
        """``span``: above every place, those that will be asked for included."""
        self._span = span
        keys = groups * span + places
        self._order = np.argsort(keys, kind="stable")
        self._keys = keys[self._order]

    def last_before(self, groups: Ints, places: Ints) -> Ints:
        """The number of each group's last event before a place, -1 where there is none."""
        return self._of(groups, np.searchsorted(self._keys, groups * self._span + places) - 1)

    def lowest_after(self, groups: Ints, places: Ints, values: Ints) -> Ints:
        """The lowest value of each group's events after a place, of no events the highest integer.

        Args:
            values: of the events.
        """
        reverse = self._order[::-1]
        # Groups descend: whatever a new one has is lower than all before.
        steps = (self._keys[::-1] // self._span) * (int(values.max(initial=0)) + 1)
        lowest = np.minimum.accumulate(values[reverse] + steps) - steps
        of_event = np.empty_like(lowest)
        of_event[reverse] = lowest
        keys = groups * self._span + places
        found = self._of(groups, np.searchsorted(self._keys, keys, side="right"))
        return np.where(found < 0, np.iinfo(np.int64).max, of_event[found] if len(of_event) else 0)

    def _of(self, groups: Ints, at: Ints) -> Ints:
        """The events at these positions in order, where they are of these groups; else -1."""
        there = (at >= 0) & (at < len(self._keys))
        there[there] = self._keys[at[there]] // self._span == groups[there]
        found = np.full(len(at), -1)
        found[there] = self._order[at[there]]
        return found


def stands(
    members: Ints, places: Ints, iterations: Ints, went_back: Timeline, to: Ints
) -> NDArray[np.bool_]:
    """Which rows hold in the end: those before all that their member trained again later.

    Args:
        members, places, iterations: of the rows.
        went_back: where members trained, or went back to an older checkpoint.
        to: of each such event, the iteration from which on it replaces what stood before.
    """
    return iterations < went_back.lowest_after(members, places, to)
