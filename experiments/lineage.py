"""Where a checkpoint's weights come from, by way of all exploits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.member_state import MemberKey
from orchestrator.records import CheckpointSaved, Exploit, MemberStarted, Record, Restored


def lineage(history: Sequence[Record], saved: CheckpointSaved) -> list[dict[str, Any]]:
    """Stretches of training that made a checkpoint, oldest first, as plain data.

    Each says which member trained and up to which iteration; all but the last name the
    checkpoint that was copied then. The first begins at iteration 0, with weights of its own.
    """
    stretches: list[dict[str, Any]] = []
    at, key = _place(history, saved.path, saved.digest), saved.key
    stretch = _trained(saved)
    while at > 0:
        at -= 1
        record = history[at]
        if isinstance(record, Exploit) and record.key == key:
            stretches.append({**stretch, "from_iteration": record.iteration})
            at = _place(history, record.checkpoint, record.digest, before=at)
            key = (record.arm, record.seed, record.donor)
            copied = {"checkpoint": record.checkpoint, "digest": record.digest}
            stretch = {**_who(key), "to_iteration": _iteration(history, at), **copied}
        elif isinstance(record, Restored) and record.key == key:
            # What it did between that checkpoint and now came to nothing.
            at = _place(history, record.path, record.digest, before=at)
        elif isinstance(record, MemberStarted) and record.key == key:
            break
    stretches.append({**stretch, "from_iteration": 0})
    return stretches[::-1]


def _trained(saved: CheckpointSaved) -> dict[str, Any]:
    here = {"checkpoint": saved.path, "digest": saved.digest}
    return {**_who(saved.key), "to_iteration": saved.iteration, **here}


def _who(key: MemberKey) -> dict[str, Any]:
    arm, seed, member = key
    return {"arm": arm, "seed": seed, "member": member}


def _place(history: Sequence[Record], path: str, digest: str, before: int | None = None) -> int:
    """Where in the journal a checkpoint was saved; the record looked from if nowhere."""
    end = len(history) if before is None else before
    for index in range(end - 1, -1, -1):
        record = history[index]
        if isinstance(record, CheckpointSaved) and (record.path, record.digest) == (path, digest):
            return index
    return end


def _iteration(history: Sequence[Record], at: int) -> int | None:
    record = history[at] if at < len(history) else None
    return record.iteration if isinstance(record, CheckpointSaved) else None
