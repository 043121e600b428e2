"""Journal and state together: what is recorded is written first, then taken in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from orchestrator.journal import Journal, Unwritable
from orchestrator.member_state import MemberKey, MemberState
from orchestrator.population import Population
from orchestrator.records import Fault, MemberRecord, Record

Listener = Callable[[Record], None]


class Ledger:
    """The populations of a run, kept equal to the fold over its journal.

    Attributes:
        populations: by (arm, seed).
        faults: all faults of the run so far, in order.
        unwritable: why the journal could not be written; nothing can be decided after that.
    """

    def __init__(
        self,
        journal: Journal,
        populations: Iterable[Population],
        listeners: Iterable[Listener] = (),
    ) -> None:
        self._journal = journal
        self.populations: Mapping[tuple[str, int], Population] = {
            (population.arm, population.seed): population for population in populations
        }
        self.faults: list[Fault] = []
        self.unwritable: Unwritable | None = None
        self._listeners = list(listeners)
        for record in journal.records:
            self._take(record)
        self._faults_before = len(self.faults)

    @property
    def faults_since_start(self) -> list[Fault]:
        """Those of this process alone."""
        return self.faults[self._faults_before :]

    def listen(self, listener: Listener) -> None:
        """Call ``listener`` with every record from now on, after it was taken in."""
        self._listeners.append(listener)

    def record(self, *entry: Record) -> None:
        """Write ``entry`` to the journal as one, then take it in.

        Raises:
            Unwritable: if the disk does not take it; nothing was taken in then.
        """
        try:
            written = self._journal.append(*entry)
        except Unwritable as error:
            self.unwritable = error
            raise
        for record in written:
            self._take(record)

    def population(self, key: MemberKey) -> Population:
        """The population that a member belongs to."""
        return self.populations[key[:2]]

    def state(self, key: MemberKey) -> MemberState:
        """Where a member stands."""
        return self.population(key).members[key[2]]

    def states(self) -> list[MemberState]:
        """All members of all populations."""
        return [state for group in self.populations.values() for state in group.members.values()]

    def __getstate__(self) -> dict[str, object]:
        # Tune pickles its scheduler and callbacks into state files, which a resume never reads;
        # the journal's open file is not for them.
        return {}

    def _take(self, record: Record) -> None:
        if isinstance(record, Fault):
            self.faults.append(record)
        if isinstance(record, MemberRecord) and (record.arm, record.seed) in self.populations:
            self.populations[record.arm, record.seed].apply(record)
        else:
            for population in self.populations.values():
                population.apply(record)
        for listener in self._listeners:
            listener(record)
