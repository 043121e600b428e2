"""Who of a population waits at which boundary, and who is on the way to one."""

from __future__ import annotations

from collections import Counter


class Turnout:
    """Kept up to date member by member, so that asking means no look at all of them."""

    def __init__(self) -> None:
        self._at: dict[int, int] = {}
        self._waiting: dict[int, set[int]] = {}
        self._since: dict[int, int] = {}
        # How many are on the way, by the boundary that was decided for them last.
        self._training: Counter[int] = Counter()

    def waits(self, member: int, boundary: int) -> None:
        """The member stands at a boundary that was not decided yet."""
        self.leaves(member)
        self._at[member] = boundary
        self._waiting.setdefault(boundary, set()).add(member)

    def trains(self, member: int, decided_at: int) -> None:
        """The member is on the way from one boundary to the next."""
        self.leaves(member)
        self._since[member] = decided_at
        self._training[decided_at] += 1

    def leaves(self, member: int) -> None:
        """The member has nothing left to do, for now."""
        boundary = self._at.pop(member, None)
        if boundary is not None:
            self._waiting[boundary].remove(member)
            if not self._waiting[boundary]:
                del self._waiting[boundary]
        decided_at = self._since.pop(member, None)
        if decided_at is not None:
            self._training[decided_at] -= 1
            if not self._training[decided_at]:
                del self._training[decided_at]

    def waiting(self) -> list[int]:
        """All that wait, whichever boundary at."""
        return sorted(self._at)

    def complete(self) -> list[int]:
        """Those that wait at the earliest boundary, once nobody is still on the way to it."""
        if not self._waiting:
            return []
        boundary = min(self._waiting)
        if self._training and min(self._training) < boundary:
            return []
        return sorted(self._waiting[boundary])
