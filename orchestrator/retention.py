"""Which checkpoints are kept: what members stand on, donors while needed, the best."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

from orchestrator.member_state import MemberKey
from orchestrator.population import Population
from orchestrator.records import CheckpointSaved, Pruned, Record

#: Where the best checkpoints of a run are linked to, in the run directory.
BEST = "best"
# The newest, and one to fall back on should its bytes turn out damaged.
_NEWEST = 2


@dataclass
class Shelf:
    """The checkpoints that lie under ``members/``, as the journal tells it.

    Attributes:
        keep_best: how many of the whole run are kept under ``best/``.
    """

    keep_best: int = 3
    _saved: dict[str, CheckpointSaved] = field(default_factory=dict, init=False)
    _scored: dict[str, CheckpointSaved] = field(default_factory=dict, init=False)
    _lost: set[str] = field(default_factory=set, init=False)

    def apply(self, record: Record) -> None:
        """Take in one record."""
        if isinstance(record, CheckpointSaved):
            self._saved[record.path] = record
            if record.score is not None:
                self._scored[record.path] = record
        elif isinstance(record, Pruned):
            self._saved.pop(record.path, None)

    def holds(self, path: str) -> bool:
        """Whether the journal says that a checkpoint lies at ``path``."""
        return path in self._saved

    def lose(self, record: CheckpointSaved) -> None:
        """Note that no whole copy is left of a checkpoint: it is nobody's best any more."""
        self._lost.add(record.digest)

    def best(self) -> list[CheckpointSaved]:
        """The ``keep_best`` best of the whole run, best first, whether pruned or not."""
        # Of all, since any may move up where better ones were lost.
        whole = (r for r in self._scored.values() if r.digest not in self._lost)
        return heapq.nsmallest(self.keep_best, whole, key=_rank)

    def best_of(self, population: Population) -> CheckpointSaved | None:
        """The best checkpoint of one population."""
        whose = (population.arm, population.seed)
        scored = (r for r in self._saved.values() if r.score is not None)
        found = (r for r in scored if (r.arm, r.seed) == whose and r.digest not in self._lost)
        return min(found, key=_rank, default=None)

    def of_member(self, key: MemberKey) -> list[CheckpointSaved]:
        """A member's own checkpoints that are still there, newest first."""
        own = [r for r in self._saved.values() if r.key == key]
        return sorted(own, key=lambda r: -r.iteration)

    def superfluous(self, populations: Iterable[Population]) -> list[CheckpointSaved]:
        """What nobody in ``populations`` needs any more.

        Kept are: what a member stands on or would be put back on (an exploiter's donor among
        them), the two newest of each member, and the best of each population. Checkpoints of
        other populations are none of theirs to give away.
        """
        kept: set[str] = set()
        whose: set[tuple[str, int]] = set()
        for population in populations:
            whose.add((population.arm, population.seed))
            kept |= {saved.path for saved in population.restore_points()}
            best = self.best_of(population)
            if best is not None:
                kept.add(best.path)
            for state in population.members.values():
                kept |= {r.path for r in self.of_member(state.key)[:_NEWEST]}
        return [
            r for path, r in self._saved.items() if path not in kept and (r.arm, r.seed) in whose
        ]


def _rank(record: CheckpointSaved) -> tuple[float, str]:
    return (-(record.score or 0.0), record.path)
