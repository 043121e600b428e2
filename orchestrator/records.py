"""The journal's records: one frozen dataclass a kind, JSON both ways.

A record says what was seen or decided, once; nothing is ever changed. Distributions travel
as their JSON, hyperparameters as plain mappings.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

VERSION = 1

Plain = dict[str, Any]
"""A record as a JSON object."""


class UnknownRecord(ValueError):
    """A record's kind or fields are not of this version."""


@dataclass(frozen=True)
class Record:
    """What all records have in common.

    Attributes:
        time: UTC, ISO 8601; filled in by the journal when the record is written.
    """

    kind: ClassVar[str]
    time: str = field(default="", kw_only=True)


@dataclass(frozen=True)
class RunStarted(Record):
    """A run began: what it is, and with what.

    Attributes:
        experiment: digest of ``arms``.
        arms: each arm of the resolved experiment file as plain data.
        untold: of a kept run, ``key: why`` for all that no experiment file can say.
    """

    kind = "run"
    name: str
    experiment: str
    arms: Mapping[str, Any]
    versions: Mapping[str, str]
    command: tuple[str, ...]
    untold: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunResumed(Record):
    """A run goes on in new processes; members go on from their restore points.

    Attributes:
        experiment: digest of ``arms``.
        arms: each arm of the experiment file as it is now.
        changes: what differs from before, in words.
        untold: as at the start.
    """

    kind = "resume"
    experiment: str
    arms: Mapping[str, Any]
    versions: Mapping[str, str]
    command: tuple[str, ...]
    changes: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunEnded(Record):
    """The processes of a run came to their end in order.

    Attributes:
        status: ``finished``, ``failed`` (some member did) or ``stopped`` (by a signal).
    """

    kind = "end"
    status: str


@dataclass(frozen=True)
class MemberRecord(Record):
    """What all records about one member have.

    Attributes:
        arm, seed, member: which member.
        iteration: training iterations that the member has behind it.
    """

    arm: str
    seed: int
    member: int
    iteration: int

    @property
    def key(self) -> tuple[str, int, int]:
        """(arm, seed, member)."""
        return (self.arm, self.seed, self.member)


@dataclass(frozen=True)
class MemberStarted(MemberRecord):
    """A member's first hyperparameters and distribution, and who drew them."""

    kind = "member"
    hyperparameters: Mapping[str, Any]
    distribution: Mapping[str, Any]
    by: str


@dataclass(frozen=True)
class Result(MemberRecord):
    """One training iteration.

    Attributes:
        training_return: mean return of the episodes that ended in it; None without any.
        env_steps: all env steps of the member so far, those of the suites included.
        revisions: per revision (as text) ``{"episodes": n, "return": mean}``.
        seconds: where the iteration's time went, by part.
        directive: the last directive that the member applied, or None.
        next_move: how far the next move of the member's own curriculum is, in words.
        waits: whether training has to earn that move.
    """

    kind = "result"
    training_return: float | None
    env_steps: int
    revisions: Mapping[str, Mapping[str, int | float]]
    seconds: Mapping[str, float]
    directive: int | None = None
    next_move: str | None = None
    waits: bool = False


@dataclass(frozen=True)
class Score(MemberRecord):
    """A member's return on each level of a suite, and their aggregate.

    None stands for a return that was not finite, and for the score that follows from it.
    """

    kind = "score"
    score: float | None
    suite: str
    returns: tuple[float | None, ...]


@dataclass(frozen=True)
class Mutation(MemberRecord):
    """A member's distribution changed to a new revision.

    Attributes:
        by: ``scheduler``, ``callback`` or ``curriculum`` (the member's own).
        before, after: the distributions; a sketch of one that holds many levels.
        state: of a curriculum of the driver, after the move.
    """

    kind = "mutation"
    revision: int
    by: str
    why: str
    before: Mapping[str, Any] = field(metadata={"name": "from"})
    after: Mapping[str, Any] = field(metadata={"name": "to"})
    state: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Exploit(MemberRecord):
    """A member goes on as a changed copy of its donor.

    Attributes:
        checkpoint, digest: the donor's, which the member loads.
        saved: the member's own last checkpoint, taken before it was displaced.
        before, after: hyperparameters.
    """

    kind = "exploit"
    donor: int
    checkpoint: str
    digest: str
    saved: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(frozen=True)
class Boundary(Record):
    """The scheduler has decided about these members at this iteration.

    Attributes:
        ranking: members and their scores, best first; None for a score that is not finite.
        next_moves: of each of ``members``, how far its curriculum's next move is, in words.
    """

    kind = "boundary"
    arm: str
    seed: int
    iteration: int
    members: tuple[int, ...]
    ranking: tuple[tuple[int, float | None], ...]
    next_moves: tuple[str, ...] = ()


@dataclass(frozen=True)
class CheckpointSaved(MemberRecord):
    """A checkpoint lies on disk, whole.

    Attributes:
        path: relative to the run directory.
        digest: SHA-256 of its manifest.
    """

    kind = "checkpoint"
    path: str
    digest: str
    score: float | None


@dataclass(frozen=True)
class Restored(MemberRecord):
    """A member was put back on an older checkpoint of its own: the one it stood on is damaged.

    Attributes:
        path, digest, score: the checkpoint's.
        env_steps, minutes, hyperparameters, distribution: what its manifest says.
        revision: a new one, since the distribution is another than before.
    """

    kind = "restore"
    path: str
    digest: str
    score: float | None
    env_steps: int
    minutes: float
    hyperparameters: Mapping[str, Any]
    distribution: Mapping[str, Any]
    revision: int


@dataclass(frozen=True)
class Pruned(MemberRecord):
    """A checkpoint was removed because nothing needs it any more."""

    kind = "prune"
    path: str
    digest: str
    score: float | None

    @classmethod
    def of(cls, saved: CheckpointSaved) -> Pruned:
        """The record that takes ``saved`` back."""
        names = ("arm", "seed", "member", "iteration", "path", "digest", "score")
        return cls(**{name: getattr(saved, name) for name in names})


@dataclass(frozen=True)
class Fault(MemberRecord):
    """Something went wrong, and what was done about it.

    Attributes:
        action: ``retried``, ``failed`` (the member is given up), or what else was done.
    """

    kind = "fault"
    where: str
    error: str
    action: str
    level: Mapping[str, Any] | None = None

    @classmethod
    def of_run(cls, where: str, error: str, action: str) -> Fault:
        """A fault that concerns no single member."""
        return cls(arm="", seed=0, member=-1, iteration=0, where=where, error=error, action=action)


KINDS: dict[str, type[Record]] = {
    kind.kind: kind
    for kind in (
        RunStarted, RunResumed, RunEnded, MemberStarted, Result, Score, Mutation, Exploit,
        Boundary, CheckpointSaved, Restored, Pruned, Fault,
    )
}  # fmt: skip


def to_json(record: Record) -> Plain:
    """A plain dict with ``v`` and ``kind`` first."""
    data: Plain = {"v": VERSION, "kind": record.kind, "time": record.time}
    for name, in_json in _NAMES[record.kind]:
        data[in_json] = getattr(record, name)
    return data


def check(data: Mapping[str, Any]) -> None:
    """Refuse what has not the keys of a record's JSON.

    Raises:
        UnknownRecord: for another version, an unknown kind, or other fields than the kind's.
    """
    if data.get("v") != VERSION:
        raise UnknownRecord(f"`v` must be {VERSION}, but got {data.get('v')!r}")
    kind = KINDS.get(str(data.get("kind")))
    if kind is None:
        raise UnknownRecord(f"`kind` must be one of {sorted(KINDS)}, got {data.get('kind')!r}")
    items = {json_name(item): item for item in dataclasses.fields(kind)}
    unknown = sorted(set(data) - {"v", "kind", *items})
    required = {name for name, item in items.items() if is_required(item)}
    missing = sorted(required - set(data))
    if unknown or missing:
        raise UnknownRecord(f"a {kind.kind} record has unknown {unknown}, missing {missing}")


def json_name(item: dataclasses.Field[Any]) -> str:
    """What a field is called in JSON."""
    name: str = item.metadata.get("name", item.name)
    return name


# Each kind's fields, and what they are called in JSON.
_NAMES = {
    name: tuple((item.name, json_name(item)) for item in dataclasses.fields(kind))
    for name, kind in KINDS.items()
}


def is_required(item: dataclasses.Field[Any]) -> bool:
    """Whether a field has no default."""
    return item.default is item.default_factory is dataclasses.MISSING


def status(records: Iterable[Record], *, held: bool) -> str:
    """How a run stands: ``finished``, ``failed`` or ``stopped`` as it said at its end; without an
    end ``running`` if a process holds it, else ``killed``.
    """
    last = None
    for record in records:
        if isinstance(record, RunStarted | RunResumed | RunEnded):
            last = record
    if isinstance(last, RunEnded):
        return last.status
    return "running" if held else "killed"


def finite(value: float | None) -> float | None:
    """JSON has no NaN and no infinity; None stands for both."""
    return value if value is not None and math.isfinite(value) else None
