"""What it costs that nothing is lost: saving, verifying and journalling at a boundary."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import Aim, Measurement, repeated, seconds
from benchmarks.setting import Setting, in_worker, interval, kept_folder, quickstart, session
from orchestrator import checkpoints, records
from orchestrator.journal import Journal
from orchestrator.member import Member
from orchestrator.report import Report

_AIM = Aim(0.02)
_INTERVALS = 8
_REPEATS = 20


def measure() -> Iterator[Measurement]:
    """A member of the quickstart from boundary to boundary, on the disk that runs are kept on."""
    with session(), kept_folder("safety") as folder:
        yield from in_worker(_shares, quickstart(), folder)


def _shares(setting: Setting, run_dir: Path) -> list[Measurement]:
    """Per interval: one save; one verification, as if every member copied another each time;
    the results of its iterations, with a boundary's, which is flushed, at the end.
    """
    member = Member(setting.arm.blueprint, run_dir, setting.start.plain())
    # The first interval warms up.
    intervals = [interval(member) for _ in range(1 + _INTERVALS)][1:]
    member.close()
    whole = [sum(sum(report.seconds.values()) for report in each) for each in intervals]
    saves = [each[-1].seconds["save"] for each in intervals]
    last = intervals[-1][-1]
    assert last.checkpoint is not None
    verify = statistics.median(
        repeated(lambda: checkpoints.verify(run_dir / str(last.checkpoint), last.digest), _REPEATS)
    )
    with Journal(run_dir / "journal.jsonl") as journal:
        journalled = [seconds(lambda each=each: _record(journal, each)) for each in intervals]  # type: ignore[misc]
    parts = {
        "save": saves,
        "verify": [verify] * len(whole),
        "journal": journalled,
    }
    measured = [
        Measurement(f"share of an interval: {name}", "", _over(spent, whole))
        for name, spent in parts.items()
    ]
    together = [sum(spent) for spent in zip(*parts.values(), strict=True)]
    measured.append(
        Measurement("share of an interval: all three", "", _over(together, whole), _AIM)
    )
    return measured


def _over(spent: list[float], whole: list[float]) -> tuple[float, ...]:
    return tuple(part / all_of_it for part, all_of_it in zip(spent, whole, strict=True))


def _record(journal: Journal, reports: list[Report]) -> None:
    """What a run writes of a member's interval, in as many entries."""
    who: dict[str, Any] = {"arm": "main", "seed": 0, "member": 0}
    for report in reports:
        at = {**who, "iteration": report.iteration}
        result = records.Result(
            **at,
            training_return=report.training_return,
            env_steps=report.env_steps,
            revisions={
                str(number): {"episodes": episodes, "return": mean}
                for number, (episodes, mean) in report.revisions.items()
            },
            seconds=report.seconds,
        )
        if report.checkpoint is None or report.digest is None or report.returns is None:
            journal.append(result)
            continue
        saved = records.CheckpointSaved(
            **at, path=report.checkpoint, digest=report.digest, score=report.score
        )
        score = records.Score(
            **at, score=report.score, suite="select", returns=tuple(report.returns)
        )
        journal.append(result, score, saved)
        # A boundary is one entry for all members, the pruning after it another.
        boundary = records.Boundary(
            arm="main", seed=0, iteration=report.iteration, members=(0,), ranking=((0, 0.0),)
        )
        journal.append(boundary)
        journal.append(records.Pruned.of(saved))
