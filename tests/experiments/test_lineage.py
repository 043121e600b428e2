"""Where a checkpoint's weights come from."""

from __future__ import annotations

from typing import Any

from experiments.lineage import lineage
from orchestrator.records import (
    CheckpointSaved,
    Exploit,
    Fault,
    MemberStarted,
    Record,
    Restored,
)


def who(member: int, iteration: int) -> dict[str, Any]:
    return {"arm": "main", "seed": 0, "member": member, "iteration": iteration}


def began(member: int) -> Record:
    return MemberStarted(**who(member, 0), hyperparameters={}, distribution={}, by="random")


def saved(member: int, iteration: int, name: str = "") -> CheckpointSaved:
    path = name or f"m{member}/{iteration}"
    return CheckpointSaved(**who(member, iteration), path=path, digest=f"digest of {path}", score=1)


def copied(member: int, of: CheckpointSaved, at: int) -> Record:
    return Exploit(
        **who(member, at), donor=of.member, checkpoint=of.path, digest=of.digest,
        saved="", before={}, after={},
    )  # fmt: skip


def put_back(on: CheckpointSaved) -> Record:
    return Restored(
        **who(on.member, on.iteration), path=on.path, digest=on.digest, score=1.0, env_steps=0,
        minutes=0.0, hyperparameters={}, distribution={}, revision=1,
    )  # fmt: skip


def stretches(history: list[Record], of: CheckpointSaved) -> list[tuple[int, int, int | None]]:
    """(member, from, to) of each."""
    found = lineage(history, of)
    assert [one["checkpoint"] for one in found][-1] == of.path
    return [(one["member"], one["from_iteration"], one["to_iteration"]) for one in found]


def test_a_member_that_copied_nobody() -> None:
    end = saved(0, 4)
    assert stretches([began(0), saved(0, 2), end], end) == [(0, 0, 4)]


def test_copies_of_copies_oldest_first() -> None:
    first, second, end = saved(0, 2), saved(1, 4), saved(2, 6)
    history = [
        *map(began, range(3)), first, saved(1, 2), saved(2, 2), copied(1, first, 2),
        saved(0, 4), second, saved(2, 4), copied(2, second, 4), end,
    ]  # fmt: skip
    assert stretches(history, end) == [(0, 0, 2), (1, 2, 4), (2, 4, 6)]
    assert lineage(history, end)[0]["digest"] == first.digest


def test_what_a_donor_copied_after_it_was_copied_is_no_part_of_it() -> None:
    donor, other, end = saved(0, 2), saved(1, 2), saved(2, 4)
    history = [
        *map(began, range(3)), donor, other, saved(2, 2),
        copied(0, other, 2), copied(2, donor, 2), end,
    ]  # fmt: skip
    assert stretches(history, end) == [(0, 0, 2), (2, 2, 4)]


def test_what_was_done_before_it_was_put_back_came_to_nothing() -> None:
    older, other = saved(0, 2), saved(1, 4)
    damaged, end = saved(0, 6), saved(0, 4, "m0/4-2")
    history = [
        began(0), began(1), older, other, copied(0, other, 4), damaged,
        Fault(**who(0, 6), where="checkpoint", error="", action=""), put_back(older), end,
    ]  # fmt: skip
    assert stretches(history, end) == [(0, 0, 4)]
    assert stretches(history, damaged) == [(1, 0, 4), (0, 4, 6)]


def test_records_of_other_populations_are_passed_over() -> None:
    end, elsewhere = saved(0, 2), saved(1, 2)
    stranger = Exploit(
        **{**who(0, 2), "arm": "other"}, donor=1, checkpoint=elsewhere.path,
        digest=elsewhere.digest, saved="", before={}, after={},
    )  # fmt: skip
    assert stretches([began(0), elsewhere, stranger, end], end) == [(0, 0, 2)]
