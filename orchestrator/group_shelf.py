"""The checkpoints of one population, and which of them nobody needs any more."""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Collection, Iterator

from orchestrator.population import Population
from orchestrator.records import CheckpointSaved, Pruned

# The newest, and one to fall back on should its bytes turn out damaged.
_NEWEST = 2


class Ranking:
    """Checkpoints that have a score, best first."""

    def __init__(self) -> None:
        self._records: dict[str, CheckpointSaved] = {}
        self._ranks: list[tuple[float, str]] = []

    def add(self, record: CheckpointSaved) -> None:
        """Take in a checkpoint, if it has a score, in place of what lay at its path."""
        self.discard(record.path)
        if record.score is not None:
            self._records[record.path] = record
            bisect.insort(self._ranks, _rank(record))

    def discard(self, path: str) -> None:
        """Leave out what lay at this path, if anything did."""
        record = self._records.pop(path, None)
        if record is not None:
            del self._ranks[bisect.bisect_left(self._ranks, _rank(record))]

    def but(self, lost: Collection[str]) -> Iterator[CheckpointSaved]:
        """Those whose digests are not among the ``lost``."""
        for _, path in self._ranks:
            if self._records[path].digest not in lost:
                yield self._records[path]


class GroupShelf:
    """The checkpoints that lie under ``members/`` of one population.

    Looks again only at checkpoints of members of whom something was heard.
    """

    def __init__(self) -> None:
        self._saved: dict[str, CheckpointSaved] = {}
        self._own: dict[int, list[str]] = {}
        self._scored = Ranking()
        self._best: CheckpointSaved | None = None
        self._heard_of: set[int] = set()
        # What members stood on when they were last asked, and how many of them on each.
        self._stood_on: dict[int, set[str]] = {}
        self._standing = Counter[str]()
        # Paths of all that may be superfluous.
        self._doubtful: set[str] = set()

    def hear(self, member: int) -> None:
        """The member may stand on something else now."""
        self._heard_of.add(member)

    def hear_of_all(self) -> None:
        """Every member may stand on something else now."""
        self._heard_of.update(self._stood_on)

    def save(self, record: CheckpointSaved) -> None:
        """A checkpoint is there."""
        own = self._own.setdefault(record.member, [])
        if record.path not in self._saved:
            own.append(record.path)
        self._saved[record.path] = record
        self._doubtful.update(own)
        self._scored.add(record)

    def prune(self, record: Pruned) -> None:
        """A checkpoint is gone."""
        if self._saved.pop(record.path, None) is not None:
            self._own[record.member].remove(record.path)
            self._scored.discard(record.path)
            self._doubtful.discard(record.path)

    def best(self, lost: Collection[str]) -> CheckpointSaved | None:
        """The best one whose digest is not among the ``lost``."""
        return next(self._scored.but(lost), None)

    def newest_of(self, member: int) -> list[CheckpointSaved]:
        """A member's own checkpoints, newest first."""
        own = (self._saved[path] for path in self._own.get(member, ()))
        return sorted(own, key=lambda record: -record.iteration)

    def superfluous(self, population: Population, lost: Collection[str]) -> list[CheckpointSaved]:
        """What no member stands on or would be put back on, is not the best, and not new."""
        self._ask(population)
        if self._best is not None:
            self._doubtful.add(self._best.path)
        self._best = self.best(lost)
        found = [self._saved[path] for path in self._doubtful if path in self._saved]
        superfluous = [record for record in found if not self._needed(record)]
        self._doubtful = {record.path for record in superfluous}
        return superfluous

    def _ask(self, population: Population) -> None:
        for member in [*self._heard_of]:
            if member in population.members:
                self._heard_of.remove(member)
                self._stand(member, {point.path for point in population.points_of(member)})

    def _stand(self, member: int, now: set[str]) -> None:
        before = self._stood_on.get(member, set())
        self._stood_on[member] = now
        self._standing.update(now - before)
        for path in before - now:
            self._standing[path] -= 1
            if not self._standing[path]:
                del self._standing[path]
                self._doubtful.add(path)

    def _needed(self, record: CheckpointSaved) -> bool:
        return (
            record.path in self._standing
            or record is self._best
            or record in self.newest_of(record.member)[:_NEWEST]
        )


def _rank(record: CheckpointSaved) -> tuple[float, str]:
    return (-(record.score or 0.0), record.path)
