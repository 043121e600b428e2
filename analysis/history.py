"""The journal's records, sorted into rows; what was trained again replaces what was before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from analysis.drawn import drawn, knob_of
from orchestrator.env_space import EnvSpace
from orchestrator.frozen import thaw
from orchestrator.member_state import MemberKey
from orchestrator.records import (
    CheckpointSaved,
    Exploit,
    Fault,
    MemberRecord,
    MemberStarted,
    Mutation,
    Pruned,
    Record,
    Restored,
    Result,
    RunStarted,
    Score,
)

Row = tuple[Any, ...]

_Change = MemberStarted | Mutation | Restored


class History:
    """What happened to every member, in the end.

    Attributes:
        name: the run's; None before it began.
        space: the knobs of each arm.
        populations: every (arm, seed), in the order they began.
    """

    def __init__(self) -> None:
        self.name: str | None = None
        self.space: dict[str, EnvSpace] = {}
        self.populations: dict[tuple[str, int], None] = {}
        self._results: list[Result] = []
        self._scores: dict[tuple[MemberKey, int, str], Score] = {}
        self._changes: list[_Change] = []
        self._exploits: list[tuple[Exploit, CheckpointSaved | None]] = []
        self._saved: dict[str, CheckpointSaved] = {}
        self._pruned: set[str] = set()
        self._faults: list[Fault] = []
        self._trained: dict[MemberKey, int] = {}

    def take(self, record: Record) -> None:
        """Take in the journal's next record."""
        match record:
            case RunStarted():
                self.name = record.name
                self.space = {arm: _space(plain) for arm, plain in record.arms.items()}
            case MemberStarted():
                self.populations[record.arm, record.seed] = None
                self._changes.append(record)
            case Result():
                if record.iteration <= self._trained.get(record.key, 0):
                    self._forget(record.key, record.iteration, record.iteration)
                self._trained[record.key] = record.iteration
                self._results.append(record)
            case Score():
                self._scores[record.key, record.iteration, record.suite] = record
            case Mutation():
                self._changes.append(record)
            case Exploit():
                self._exploits.append((record, self._saved.get(record.checkpoint)))
            case CheckpointSaved():
                self._saved[record.path] = record
                self._pruned.discard(record.path)
            case Pruned():
                self._pruned.add(record.path)
            case Restored():
                # Its own checkpoint was saved before anything was decided at that iteration.
                self._forget(record.key, record.iteration + 1, record.iteration)
                self._trained[record.key] = record.iteration
                self._changes.append(record)
            case Fault():
                self._faults.append(record)

    def _forget(self, key: MemberKey, trained_from: int, decided_from: int) -> None:
        def stands(record: MemberRecord, until: int) -> bool:
            return record.key != key or record.iteration < until

        self._results = [each for each in self._results if stands(each, trained_from)]
        self._scores = {
            place: each for place, each in self._scores.items() if stands(each, trained_from)
        }
        self._changes = [each for each in self._changes if stands(each, decided_from)]
        self._exploits = [each for each in self._exploits if stands(each[0], decided_from)]

    def results(self) -> Iterator[Row]:
        """Who, training return, env steps, seconds."""
        for each in self._results:
            seconds = sum(each.seconds.values())
            yield (*_who(each), each.training_return, each.env_steps, seconds)

    def scores(self) -> Iterator[Row]:
        """Who, suite, level, return, score."""
        for each in self._scores.values():
            for level, played in enumerate(each.returns):
                yield (*_who(each), each.suite, level, played, each.score)

    def mutations(self) -> Iterator[Row]:
        """Who, revision, by, why."""
        for each in self._changes:
            if isinstance(each, Mutation):
                yield (*_who(each), each.revision, each.by, each.why)

    def lineage(self) -> Iterator[Row]:
        """Who, donor, the iteration and the score of its checkpoint."""
        for each, copied in self._exploits:
            iteration = each.iteration if copied is None else copied.iteration
            score = None if copied is None else copied.score
            yield (*_who(each), each.donor, iteration, score)

    def checkpoints(self) -> Iterator[Row]:
        """Who, path, digest, score, pruned."""
        for path, each in self._saved.items():
            yield (*_who(each), path, each.digest, each.score, path in self._pruned)

    def faults(self) -> Iterator[Row]:
        """Who, where, error, action, level."""
        for each in self._faults:
            level = None if each.level is None else thaw(each.level)
            yield (*_who(each), each.where, each.error, each.action, level)

    def distributions(self) -> Iterator[Row]:
        """Who, revision, knob, and how it is drawn."""
        for each in self._changes:
            revision, distribution = _changed(each)
            if each.arm not in self.space:
                raise ValueError(
                    f"an arm must be one that the run began with ({', '.join(self.space)}), "
                    f"but its journal has a member of {each.arm!r}"
                )
            knobs = self.space[each.arm].knobs
            for name, how in drawn(distribution, knobs).items():
                yield (*_who(each), revision, name, how.low, how.high, how.weights, how.spread)


def _who(record: MemberRecord) -> Row:
    return (record.arm, record.seed, record.member, record.iteration)


def _changed(record: _Change) -> tuple[int, Mapping[str, Any]]:
    if isinstance(record, MemberStarted):
        return 0, record.distribution
    if isinstance(record, Mutation):
        return record.revision, record.after
    return record.revision, record.distribution


def _space(arm: Mapping[str, Any]) -> EnvSpace:
    """The env space of one arm of a resolved experiment file."""
    return EnvSpace({name: knob_of(given) for name, given in arm["env"]["knobs"].items()})
