"""A real run in a process of its own, with what its journal does not tell of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from orchestrator import journal
from orchestrator.records import Boundary, Exploit, MemberStarted, Record, Result, RunStarted

__all__ = ["Gap", "Look", "Watched", "watch"]

_ROOT = Path(__file__).parents[2]
_LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class Gap:
    """What lies between two iterations of a member and is neither training, score nor save.

    Attributes:
        seconds: how long it was, from when the earlier result was journalled; where that was at
            a boundary, from when the member was decided about.
        at_boundary: whether it was.
        copied: whether the member had become a copy of another one.
    """

    seconds: float
    at_boundary: bool
    copied: bool


@dataclass(frozen=True)
class Look:
    """Seconds of a core that were used up to a time (in seconds of the epoch).

    Attributes:
        driver: by the process that schedules.
        run: by all processes of the run.
        machine: by all processes of the machine.
    """

    time: float
    driver: float
    run: float
    machine: float


@dataclass(frozen=True)
class Watched:
    """A run that has ended.

    Attributes:
        records: of its journal; one population, in which nothing has failed.
        began, ended: of its process, in seconds of the epoch.
        looks: in the order of time.
        cores: that the machine has.
    """

    records: Sequence[Record]
    began: float
    ended: float
    looks: Sequence[Look]
    cores: int

    @property
    def members(self) -> int:
        """How many there were."""
        return sum(isinstance(record, MemberStarted) for record in self.records)

    @property
    def arm(self) -> Mapping[str, Any]:
        """The resolved experiment file."""
        [started] = (record for record in self.records if isinstance(record, RunStarted))
        [arm] = started.arms.values()
        return arm  # type: ignore[no-any-return]

    @property
    def seats(self) -> int:
        """How many members were resident at once."""
        return min(self.members, self.arm["resources"]["max_resident"] or self.members)

    @property
    def results(self) -> list[Result]:
        """Every iteration of every member, in the order they were journalled."""
        return [record for record in self.records if isinstance(record, Result)]

    @property
    def seconds(self) -> float:
        """From the command to its end."""
        return self.ended - self.began

    @property
    def begun(self) -> float:
        """Seconds from the command until those members began to train that had seats at first."""
        firsts = (each for each in self.results if each.iteration == 1)
        begins = sorted(_epoch(each) - sum(each.seconds.values()) for each in firsts)
        return float(np.mean(begins[: self.seats])) - self.began

    @property
    def trained(self) -> float:
        """Seconds from the command until the last result."""
        return _epoch(self.results[-1]) - self.began

    @property
    def handling(self) -> float:
        """Seconds of a core that the driver takes for each result."""
        times = [_epoch(each) for each in self.results]
        looked, used = [look.time for look in self.looks], [look.driver for look in self.looks]
        first, last = np.interp([times[0], times[-1]], looked, used)
        return float(last - first) / (len(times) - 1)

    @property
    def others(self) -> float:
        """Share of the machine's cores that was taken by what is not part of the run."""
        first, last = self.looks[0], self.looks[-1]
        # Of processes that have ended by the last look nothing is seen in it.
        own = max(look.run for look in self.looks) - first.run
        taken = last.machine - first.machine - own
        return taken / (self.cores * (last.time - first.time))

    @property
    def used_before_training(self) -> float:
        """Seconds of a core that all processes of the run had used when training began."""
        looked, used = [look.time for look in self.looks], [look.run for look in self.looks]
        return float(np.interp(self.began + self.begun, looked, used))

    def parts(self, name: str) -> list[float]:
        """The seconds that results say a part of their iteration has taken."""
        return [each.seconds[name] for each in self.results if name in each.seconds]

    def gaps(self) -> Iterator[Gap]:
        """Those between all iterations of all members."""
        free: dict[int, float] = {}
        decided: set[int] = set()
        copied: set[int] = set()
        for record in self.records:
            if isinstance(record, Exploit):
                copied.add(record.member)
            elif isinstance(record, Boundary):
                decided |= set(record.members)
                free |= dict.fromkeys(record.members, _epoch(record))
            elif isinstance(record, Result):
                member = record.member
                if member in free:
                    seconds = _epoch(record) - free[member] - sum(record.seconds.values())
                    yield Gap(seconds, member in decided, member in copied)
                free[member] = _epoch(record)
                decided.discard(member)
                copied.discard(member)


def watch(file: Path, run_dir: Path, overrides: Sequence[str]) -> Watched:
    """Run an experiment file to its end.

    Raises:
        RuntimeError: if it does not finish.
    """
    settings = [argument for each in overrides for argument in ("--set", each)]
    command = [sys.executable, "-m", "experiments.cli", "run", str(file)]
    began = time.time()
    with open(run_dir.with_suffix(".log"), "w+", encoding="utf-8") as log:
        process = psutil.Popen(
            [*command, "--run-dir", str(run_dir), *settings],
            cwd=_ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        looks = [*_looks(process)]
        ended = time.time()
        if process.returncode != 0:
            log.seek(0)
            raise RuntimeError(
                f"the run must finish, but it exited with {process.returncode}: {log.read()}"
            )
    cores = len(psutil.Process().cpu_affinity())
    return Watched(journal.read(run_dir / "journal.jsonl"), began, ended, looks, cores)


def _looks(process: psutil.Popen) -> Iterator[Look]:
    """One at once, and one after each `_LOOK_SECONDS` in which the process has not ended."""
    while process.poll() is None:
        # The command is a supervisor of the driver, and that the parent of all of Ray.
        drivers = process.children()
        tree = process.children(recursive=True)
        machine = psutil.cpu_times()
        yield Look(
            time=time.time(),
            driver=sum(map(_used, drivers)),
            run=sum(map(_used, tree)),
            machine=machine.user + machine.nice + machine.system,
        )
        with suppress(psutil.TimeoutExpired):
            process.wait(_LOOK_SECONDS)


def _used(process: psutil.Process) -> float:
    """Seconds of a core that the process has used; none if it is gone."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _epoch(record: Record) -> float:
    return datetime.fromisoformat(record.time).timestamp()
