"""Which checkpoints are kept: what members stand on, donors while needed, the best."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from orchestrator.group_shelf import GroupShelf, Ranking
from orchestrator.member_state import MemberKey
from orchestrator.population import Population
from orchestrator.records import CheckpointSaved, MemberRecord, Pruned, Record, Result, RunResumed

#: Where the best checkpoints of a run are linked to, in the run directory.
BEST = "best"


@dataclass
class Shelf:
    """The checkpoints that lie under ``members/``, as the journal tells it.

    Belongs to the populations whose records it takes in.

    Attributes:
        keep_best: how many of the whole run are kept under ``best/``.
    """

    keep_best: int = 3
    # By path, in the order in which they were saved.
    _places: dict[str, int] = field(default_factory=dict, init=False)
    _numbers: Iterator[int] = field(default_factory=itertools.count, init=False)
    _scored: Ranking = field(default_factory=Ranking, init=False)
    _lost: set[str] = field(default_factory=set, init=False)
    _groups: defaultdict[tuple[str, int], GroupShelf] = field(
        default_factory=lambda: defaultdict(GroupShelf), init=False
    )

    def apply(self, record: Record) -> None:
        """Take in one record."""
        if isinstance(record, RunResumed):
            for group in self._groups.values():
                group.hear_of_all()
        elif isinstance(record, MemberRecord) and not isinstance(record, Result):
            group = self._groups[record.arm, record.seed]
            group.hear(record.member)
            if isinstance(record, CheckpointSaved):
                self._save(record)
                group.save(record)
            elif isinstance(record, Pruned):
                self._places.pop(record.path, None)
                group.prune(record)

    def _save(self, record: CheckpointSaved) -> None:
        if record.path not in self._places:
            self._places[record.path] = next(self._numbers)
        self._scored.add(record)

    def holds(self, path: str) -> bool:
        """Whether the journal says that a checkpoint lies at ``path``."""
        return path in self._places

    def lose(self, record: CheckpointSaved) -> None:
        """Note that no whole copy is left of a checkpoint: it is nobody's best any more."""
        self._lost.add(record.digest)

    def best(self) -> list[CheckpointSaved]:
        """The ``keep_best`` best of the whole run, best first, whether pruned or not."""
        # Of all, since any may move up where better ones were lost.
        return [*itertools.islice(self._scored.but(self._lost), self.keep_best)]

    def best_of(self, population: Population) -> CheckpointSaved | None:
        """The best checkpoint of one population."""
        return self._groups[population.arm, population.seed].best(self._lost)

    def of_member(self, key: MemberKey) -> list[CheckpointSaved]:
        """A member's own checkpoints that are still there, newest first."""
        arm, seed, member = key
        return self._groups[arm, seed].newest_of(member)

    def superfluous(self, populations: Iterable[Population]) -> list[CheckpointSaved]:
        """What nobody in ``populations`` needs any more, in the order in which it was saved.

        Kept are: what a member stands on or would be put back on (an exploiter's donor among
        them), the two newest of each member, and the best of each population. Checkpoints of
        other populations are none of theirs to give away.
        """
        found = [
            record
            for population in populations
            for record in self._groups[population.arm, population.seed].superfluous(
                population, self._lost
            )
        ]
        return sorted(found, key=lambda record: self._places[record.path])
