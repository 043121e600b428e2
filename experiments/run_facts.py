"""What a run came to: who stands where, how it ended, which checkpoints are whole.

All from the journal's records and what they fold into, so that it is there for a run that
goes on, has ended or was killed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callbacks.run_view import one_line
from orchestrator import checkpoints, records
from orchestrator.distributions import Distribution, Product
from orchestrator.frozen import thaw
from orchestrator.member_state import MemberKey, MemberState
from orchestrator.population import Population
from orchestrator.records import (
    CheckpointSaved,
    Exploit,
    Fault,
    MemberStarted,
    Record,
    finite,
    to_json,
)
from orchestrator.retention import BEST, Shelf
from orchestrator.sketch import Journalled, Sketch

_EVERY_LINE = ("v", "kind")


@dataclass(frozen=True)
class RunFacts:
    """All that the tables need.

    Attributes:
        records: the journal's.
        populations: by (arm, seed), folded from the records.
        shelf: folded from the records.
        held: whether a process is working on the run now.
    """

    name: str
    run_dir: Path
    records: Sequence[Record]
    populations: Mapping[tuple[str, int], Population]
    shelf: Shelf
    held: bool = False

    @property
    def status(self) -> str:
        """``finished``, ``failed`` or ``stopped`` as the run said at its end; without an end
        ``running`` if a process holds the run, else ``killed``.
        """
        return records.status(self.records, held=self.held)

    @property
    def states(self) -> list[MemberState]:
        """All members, by population and number."""
        return [state for population in self.populations.values() for state in _members(population)]

    @property
    def faults(self) -> list[Fault]:
        """All faults, in order."""
        return [record for record in self.records if isinstance(record, Fault)]

    def member_status(self, state: MemberState) -> str:
        """``failed``, ``finished``, ``training`` or, where no one works on it, ``unfinished``."""
        if state.failed:
            return "failed"
        if self.populations[state.key[:2]].done(state.member):
            return "finished"
        return "training" if self.status == "running" else "unfinished"


def best_member(population: Population) -> MemberState | None:
    """The member with the highest score, failed ones last; None before there are members."""

    def place(state: MemberState) -> tuple[bool, bool, float, int]:
        return (state.failed, state.score is None, -(state.score or 0.0), state.member)

    return min(_members(population), key=place, default=None)


def starts(records: Sequence[Record]) -> dict[MemberKey, MemberStarted]:
    """How each member began: by way of all exploits, the first record of whom it copies."""
    found: dict[MemberKey, MemberStarted] = {}
    for record in records:
        if isinstance(record, MemberStarted):
            found[record.key] = record
        elif isinstance(record, Exploit):
            found[record.key] = found[record.arm, record.seed, record.donor]
    return found


def changes(first: Journalled, now: Journalled) -> list[tuple[str, str, str]]:
    """(knob, picture at first, picture now); one row for all where not each knob has its own."""
    first, now = _looks(first), _looks(now)
    if isinstance(first, Product) and isinstance(now, Product):
        return [
            (one_line(name), knob.picture(first.marginals[name]), knob.picture(now.marginals[name]))
            for name, knob in now.space.knobs.items()
        ]
    return [("all", one_line(first.picture()), one_line(now.picture()))]


def _looks(distribution: Journalled) -> Distribution:
    return distribution.looks if isinstance(distribution, Sketch) else distribution


def verified_place(run_dir: Path, record: CheckpointSaved) -> str | None:
    """Where the checkpoint lies whole, relative to the run; None if nowhere.

    Under ``best/`` if it is there, since that is kept whatever else is pruned.
    """
    best = run_dir / BEST
    places = sorted(best.iterdir()) if best.is_dir() else []
    for place in [*places, run_dir / record.path]:
        try:
            # The digest is that of this one checkpoint, whatever its place is called.
            checkpoints.verify(place, record.digest)
        except (checkpoints.Damaged, OSError):
            continue
        return place.relative_to(run_dir).as_posix()
    return None


def as_json(facts: RunFacts) -> dict[str, Any]:
    """The run as plain JSON values; paths are relative to the run directory.

    ``checkpoint`` of a member is what its weights come from; that of a best one is None if no
    whole copy of it is left.
    """
    return {
        "name": facts.name,
        "status": facts.status,
        "members": [_member_json(state) for state in facts.states],
        "best": [
            {
                "arm": record.arm,
                "seed": record.seed,
                "member": record.member,
                "iteration": record.iteration,
                "score": finite(record.score),
                "checkpoint": verified_place(facts.run_dir, record),
            }
            for record in facts.shelf.best()
        ],
        "faults": [
            {name: thaw(value) for name, value in to_json(fault).items() if name not in _EVERY_LINE}
            for fault in facts.faults
        ],
    }


def _member_json(state: MemberState) -> dict[str, Any]:
    arm, seed, member = state.key
    return {
        "arm": arm,
        "seed": seed,
        "member": member,
        "iteration": state.iteration,
        "score": finite(state.score),
        "revision": state.revision,
        "hyperparameters": thaw(state.hyperparameters),
        "distribution": thaw(state.distribution.to_json()),
        "checkpoint": None if state.restore_point is None else state.restore_point.path,
    }


def _members(population: Population) -> list[MemberState]:
    return [population.members[number] for number in sorted(population.members)]
