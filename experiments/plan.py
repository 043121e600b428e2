"""What ``envolve run --dry-run`` prints: how much work a file is, and what it will take."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from callbacks.run_view import duration, one_line
from experiments import build, costs, driver
from experiments.checking import check
from experiments.estimate import START_UP, Plan, measured_as, rollouts_of
from experiments.loading import Loaded, dump
from experiments.ray_session import ray_session
from orchestrator.pictures import counted


def make_plan(loaded: Loaded) -> Plan:
    """Check a file in full, and measure a member of it; nothing is kept.

    Raises:
        BadInput: for problems with RLlib's keys or the env.
        TooSmall: if a member does not fit the machine.
    """
    configs = check(loaded)
    with costs.silence(), ray_session(Path.cwd()):
        machine = build.machine()
        arms = driver.wire(loaded, configs)
        residency = next(iter(arms.values())).residency
        try:
            return Plan(loaded, machine, residency, costs.measure(loaded.arms, arms), None)
        except Exception as error:
            return Plan(loaded, machine, residency, {}, _said(error))


def show(loaded: Loaded, *, as_json: bool) -> int:
    """Print the plan and the resolved file; returns the exit code, 1 if a member failed.

    Raises:
        BadInput: for problems with RLlib's keys or the env.
        TooSmall: if a member does not fit the machine.
    """
    if sys.stderr.isatty():
        typer.echo("measuring what a member costs ...", err=True)
    plan = make_plan(loaded)
    if as_json:
        typer.echo(json.dumps(to_json(plan), indent=1, ensure_ascii=False))
    else:
        _print(plan, Console())
    return 0 if plan.failure is None else 1


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as plain JSON values; seconds, bytes and GiB."""
    work = plan.work
    return {
        "name": plan.loaded.name,
        "members": sum(each.members for each in work.values()),
        "arms": {
            name: {
                "members": work[name].members,
                "seeds": list(arm.seeds),
                "iterations": work[name].iterations,
                "env_steps": _times(work[name].members, work[name].env_steps),
                "measured": asdict(plan.cost[name]) if name in plan.cost else None,
            }
            for name, arm in plan.loaded.arms.items()
        },
        "resident": {
            "members": plan.residency.seats,
            "cpus_per_process": dict(plan.residency.cpus),
            "processes": dict(plan.residency.processes),
            "memory": plan.memory,
        },
        "machine": asdict(plan.machine),
        "estimate": {
            "seconds": plan.seconds,
            "bytes": plan.disk,
            "rests_on": rests_on(plan),
        },
        "failure": plan.failure,
        "experiment": plan.loaded.resolved(),
    }


def rests_on(plan: Plan) -> list[str]:
    """What was measured, and what the estimate knows nothing of."""
    if plan.failure is not None:
        return []
    said = []
    measured = dict.fromkeys(measured_as(plan.loaded.arms).values())
    for arm in measured:
        timed = counted(plan.cost[arm].timed, "iteration")
        said.append(f"{timed}, one select suite and one checkpoint of a member of arm {arm}")
        if not plan.cost[arm].learnt:
            said.append(f"arm {arm} had not begun to learn by then, so that it will take longer")
    if len(plan.loaded.arms) > len(measured):
        said.append("other arms are taken to cost the same, in proportion to their train batch")
    for arm, experiment in plan.loaded.arms.items():
        rollouts = rollouts_of(experiment)
        if rollouts is not None:
            more = "rollouts without gradient will cost env steps and time beyond what was measured"
            said.append(f"arm {arm}: {more}, {rollouts}")
    said.append(f"{START_UP:g} s of CPU time for each process that starts")
    said.append("episodes that get longer, and replay buffers that fill, will cost more")
    return said


def _print(plan: Plan, console: Console) -> None:
    work = plan.work
    members = counted(sum(each.members for each in work.values()), "member")
    populations = counted(sum(each.populations for each in work.values()), "population")
    console.print(Text.assemble((plan.loaded.name, "bold"), f": {members} in {populations}"))
    console.print()
    console.print(_arms_table(plan))
    console.print()
    for line in _lines(plan):
        console.print(Text(line))
    console.print(Text("\nThe file, with every default written out:\n", style="bold"))
    # As it is: not wrapped, so that it can be copied.
    console.print(Text(dump(plan.loaded.resolved()).rstrip()), soft_wrap=True)


def _arms_table(plan: Plan) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("arm", overflow="fold")
    for name in ("members", "seeds", "iterations", "env steps in all", "checkpoint"):
        table.add_column(name, justify="right")
    for name, work in plan.work.items():
        cost = plan.cost.get(name)
        table.add_row(
            name,
            str(work.members),
            str(work.populations),
            "–" if work.iterations is None else str(work.iterations),
            _steps(_times(work.members, work.env_steps)),
            "–" if cost is None else _size(cost.checkpoint),
        )
    return table


def _lines(plan: Plan) -> Sequence[str]:
    seats, cpus = plan.residency.seats, sorted(set(plan.residency.cpus.values()))
    each = " or ".join(f"{share:g}" for share in cpus)
    machine = f"{plan.machine.cpus:g} CPUs, {plan.machine.memory:.1f} GiB"
    memory = "" if plan.memory is None else f", about {plan.memory:.1f} GiB together"
    resident = f"resident:  {counted(seats, 'member')} at once, each process with {each} CPUs"
    lines = [f"{resident}{memory} (of {machine})"]
    if plan.failure is not None:
        return [*lines, f"estimate:  none, since a member fails: {plan.failure}"]
    unknown = "not known: nothing but a score ends it"
    seconds, disk = plan.seconds, plan.disk
    lines.append(f"time:      {unknown if seconds is None else f'about {duration(seconds)}'}")
    lines.append(f"disk:      {unknown if disk is None else f'about {_size(disk)}'}")
    lines.append("These are estimates. They rest on:")
    return [*lines, *(f"  - {each}" for each in rests_on(plan))]


def _said(error: BaseException) -> str:
    """What it was that began it: RLlib wraps an env's exception in one that says nothing."""
    while error.__cause__ is not None:
        error = error.__cause__
    return one_line(f"{type(error).__name__}: {error}")


def _times(members: int, each: int | None) -> int | None:
    return None if each is None else members * each


def _steps(number: int | None) -> str:
    if number is None:
        return "–"
    return f"{number:,}" if number < 1e6 else f"{number / 1e6:,.1f} million"


def _size(number: int) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= factor:
            return f"{number / factor:.1f} {unit}"
    return f"{number} bytes"
