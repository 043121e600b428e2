"""``envolve run`` as a contender: its command, and what its journal says of the run."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from benchmarks.sweep.done import Done
from benchmarks.sweep.work import Work
from orchestrator import journal
from orchestrator.records import Fault, MemberStarted, Record, Result, RunEnded

FILE = Path(__file__).parent / "cartpole.yaml"
BUSY = "share of the slots' time that members train, are scored or saved in"
LEAD = "iterations that any member was ahead of another"

_RUN = "run"


def command(work: Work, folder: Path) -> list[str]:
    """The command of a run in ``folder``."""
    overrides = [
        f"population.size={work.members}",
        f"population.interval={work.interval}",
        f"stop.iterations={work.iterations}",
    ]
    if work.resident is not None:
        # Exactly so many, though fewer would keep the cores busy.
        share = work.cores / work.resident
        overrides += [
            f"resources.max_resident={work.resident}",
            f"resources.cpus_per_member={share:g}",
        ]
    sets = [argument for each in overrides for argument in ("--set", each)]
    envolve = [sys.executable, "-P", "-m", "experiments.cli", "run", str(FILE)]
    return [*envolve, "--run-dir", str(folder / _RUN), *sets]


def done(work: Work, folder: Path) -> Done:
    """What the run in ``folder`` came to.

    Raises:
        FileNotFoundError: if it has no journal.
    """
    found = journal.read(folder / _RUN / "journal.jsonl")
    trained = {(each.member, each.iteration) for each in found if isinstance(each, Result)}
    facts = {}
    if trained:
        slots = work.resident or work.members
        facts = {BUSY: busy(found, slots), LEAD: float(lead(found))}
    return Done(len(trained), _complaint(found), facts)


def busy(records: Iterable[Record], slots: int) -> float:
    """How much of ``slots`` was in use, from the first iteration's begin to the last one's end."""
    spent, begins, ends = 0.0, [], []
    for record in records:
        if isinstance(record, Result):
            seconds = sum(record.seconds.values())
            end = datetime.fromisoformat(record.time).timestamp()
            spent += seconds
            begins.append(end - seconds)
            ends.append(end)
    return spent / (slots * (max(ends) - min(begins)))


def lead(records: Iterable[Record]) -> int:
    """The most iterations that a member was ever ahead of one that was to train on."""
    at: dict[int, int] = {}
    most = 0
    for record in records:
        if isinstance(record, MemberStarted | Result):
            at[record.member] = record.iteration
            most = max(most, max(at.values()) - min(at.values()))
        elif isinstance(record, Fault) and record.action == "failed":
            at.pop(record.member, None)
    return most


def _complaint(found: Sequence[Record]) -> str:
    faults = [record for record in found if isinstance(record, Fault)]
    if faults:
        return f"{len(faults)} faults, the first: {faults[0].where}: {faults[0].error}"
    last = found[-1] if found else None
    if isinstance(last, RunEnded):
        return "" if last.status == "finished" else f"it ended {last.status}"
    return "it did not end in order"
