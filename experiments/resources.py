"""How many members are resident at once, and what share of the machine each of them takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from experiments.spec import Experiment

# A process with RLlib and torch imported takes about half a GiB; this leaves room to work.
_GIB_PER_PROCESS = 0.75
# What is left to everything else on the machine.
_MEMORY_SHARE = 0.85


@dataclass(frozen=True)
class Machine:
    """What the cluster has: CPUs, GPUs, memory in GiB."""

    cpus: float
    gpus: float
    memory: float


@dataclass(frozen=True)
class Residency:
    """How the members of a run share the machine.

    Attributes:
        seats: members that are resident at once, over all populations.
        cpus: CPUs for each process of a member, by arm.
        processes: processes of a member (itself, its env runners and learners), by arm.
    """

    seats: int
    cpus: Mapping[str, float]
    processes: Mapping[str, int]


class TooSmall(ValueError):
    """Not even one member fits the machine."""


def share(
    arms: Mapping[str, Experiment], processes: Mapping[str, int], machine: Machine
) -> Residency:
    """Decide who is resident.

    By default as few as keep all CPUs busy, as far as memory goes; the others take turns. Each
    resident is a process that imports torch and RLlib, which takes as long as many iterations,
    while a seat changes hands in hundredths of a second; and processes that share a core slow
    each other down. `benchmarks/README.md` has the measurements.

    Raises:
        TooSmall: if CPUs, GPUs or memory do not suffice for one member.
    """
    total = sum(arm.population.size * len(arm.seeds) for arm in arms.values())
    largest = max(arm.population.size for arm in arms.values())
    limits = [total]
    for name, arm in arms.items():
        limits.append(_fitting(name, arm, processes[name], machine))
    seats = min(limits)
    if all(arm.resources.cpus_per_member == "auto" for arm in arms.values()):
        seats = min(seats, _keeping_busy(largest, max(1, int(machine.cpus))))
    most = [arm.resources.max_resident for arm in arms.values() if arm.resources.max_resident]
    seats = min([seats, *most])
    cpus = {}
    for name, arm in arms.items():
        given = arm.resources.cpus_per_member
        whole = machine.cpus / seats if given == "auto" else given
        cpus[name] = min(1.0, math.floor(whole / processes[name] * 1000) / 1000)
    return Residency(seats=seats, cpus=cpus, processes=dict(processes))


def _keeping_busy(members: int, cpus: int) -> int:
    """Seats that leave the least time unused, where a population waits for all its members.

    A population that is smaller than the machine has all its members seated, and others beside it.
    Else they come in waves, of which the last may leave CPUs idle: seats that share CPUs even
    that out.
    """
    if members <= cpus:
        return math.ceil(cpus / members) * members

    def rounds(seats: int) -> float:
        waves, rest = divmod(members, seats)
        return waves * seats / cpus + (max(1.0, rest / cpus) if rest else 0.0)

    return min(range(cpus, 2 * cpus + 1), key=rounds)


def _fitting(name: str, arm: Experiment, processes: int, machine: Machine) -> int:
    """Members of an arm that fit the machine at once."""
    resources = arm.resources
    memory = resources.memory_per_member
    gib = _GIB_PER_PROCESS * processes if memory == "auto" else memory
    by_memory = int(_MEMORY_SHARE * machine.memory / gib)
    limits = {f"{gib:g} GiB of memory, of {machine.memory:.1f}": by_memory}
    if resources.cpus_per_member != "auto":
        cpus = resources.cpus_per_member
        limits[f"{cpus:g} CPUs, of {machine.cpus:g}"] = int(machine.cpus / cpus)
    if resources.gpus_per_member > 0:
        gpus = resources.gpus_per_member
        limits[f"{gpus:g} GPUs, of {machine.gpus:g}"] = int(machine.gpus / gpus)
    for needed, fitting in limits.items():
        if fitting < 1:
            raise TooSmall(f"a member of arm {name} must fit the machine, but it takes {needed}")
    return min(limits.values())
