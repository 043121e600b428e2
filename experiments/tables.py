"""What a run came to, in tables: for the end of a run and for ``envolve show``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from callbacks.run_view import one_line, score_text, who
from experiments.run_facts import (
    RunFacts,
    as_json,
    best_member,
    changes,
    starts,
    verified_place,
)
from orchestrator.frozen import thaw
from orchestrator.member_state import MemberKey, MemberState
from orchestrator.pictures import label, short
from orchestrator.records import Score
from orchestrator.sketch import journalled_from_json
from orchestrator.suites import TEST

__all__ = [
    "RunFacts",
    "as_json",
    "best_line",
    "evolution_table",
    "faults_table",
    "members_table",
    "print_run",
    "suite_table",
]

_FAULTS = 10
_WIDE = 90
_SEPARATOR = " · "


def print_run(facts: RunFacts, console: Console) -> None:
    """Print all that there is to say of the run."""
    console.print(Text.assemble((one_line(facts.name), "bold"), f": {facts.status}"))
    if not facts.states:
        console.print(Text("no members yet"))
    else:
        _section(console, "Members", members_table(facts, console.width))
        _section(console, "What the environments evolved into", evolution_table(facts))
    tests = suite_table(facts)
    if tests is not None:
        _section(console, "Test suite", tests)
    if facts.faults:
        _section(console, _faults_title(facts), faults_table(facts))
    console.print()
    # Not wrapped, so that a path can be copied.
    console.print(Text(best_line(facts)), soft_wrap=True)


def members_table(facts: RunFacts, width: int = _WIDE) -> RenderableType:
    """Where every member stands; below ``width`` in two tables, one under the other."""
    if width >= _WIDE:
        table = _table("member", numbers=("iteration", "score", "revision"))
        for name in ("hyperparameters", "environments", "status"):
            table.add_column(name)
        for state in facts.states:
            table.add_row(*_standing(state), _searched(state), _drawn(state), _status(facts, state))
        return table
    table = _table("member", numbers=("iteration", "score", "revision"))
    table.add_column("status")
    details = _table("member", "hyperparameters, environments")
    for state in facts.states:
        table.add_row(*_standing(state), _status(facts, state))
        details.add_row(_name(state.key), Group(_searched(state), _drawn(state)))
    return Group(table, Text(""), details)


def evolution_table(facts: RunFacts) -> Table:
    """Start and present state of each knob, for the best member of each population.

    The start is that of the member whose copy the best one is, by way of all exploits.
    """
    began = starts(facts.records)
    table = _table("best member", "knob", "start", "now")
    for population in facts.populations.values():
        best = best_member(population)
        if best is None:
            continue
        start = began[best.key]
        name = _name(best.key)
        if start.member != best.member:
            name.append(f"\n(began as m{start.member})", style="dim")
        first = journalled_from_json(population.rules.space, start.distribution)
        for place, (knob, before, now) in enumerate(changes(first, best.distribution)):
            table.add_row(
                name if place == 0 else Text(""),
                Text(knob),
                _Parts(tuple(before.split(_SEPARATOR))),
                _Parts(tuple(now.split(_SEPARATOR)), style="" if now == before else "bold"),
            )
    return table


def suite_table(facts: RunFacts) -> Table | None:
    """Scores on the test suite, the newest of each member; None if there are none."""
    scores = {
        record.key: record
        for record in facts.records
        if isinstance(record, Score) and record.suite == TEST
    }
    if not scores:
        return None
    table = _table("member", numbers=("iteration", "score", "worst", "best", "levels"))
    for key, record in scores.items():
        returns = [-math.inf if value is None else value for value in record.returns]
        table.add_row(
            _name(key),
            Text(str(record.iteration)),
            Text(score_text(record.score)),
            Text(score_text(min(returns, default=None))),
            Text(score_text(max(returns, default=None))),
            Text(str(len(returns))),
        )
    return table


def faults_table(facts: RunFacts) -> Table:
    """The last faults: when, whose, what, and what was done about it."""
    table = _table("time", "whose", "where", "error", "then")
    for fault in facts.faults[-_FAULTS:]:
        table.add_row(
            Text(_local(fault.time)),
            _name(fault.key) if fault.member >= 0 else Text("the run"),
            Text(one_line(fault.where)),
            Text(one_line(fault.error)),
            Text(one_line(fault.action)),
        )
    return table


def best_line(facts: RunFacts) -> str:
    """Where the best checkpoint lies that is whole, byte by byte."""
    for record in facts.shelf.best():
        place = verified_place(facts.run_dir, record)
        if place is not None:
            who_and_when = f"{who(record.key)} at iteration {record.iteration}"
            score = score_text(record.score)
            return (
                f"best verified checkpoint ({who_and_when}, score {score}): {facts.run_dir / place}"
            )
    return "best verified checkpoint: none yet"


@dataclass(frozen=True)
class _Parts:
    """Text that wraps between its parts; within one only if it alone is too long."""

    parts: tuple[str, ...]
    style: str = ""

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        widths = [cell_len(part) for part in self.parts] or [0]
        whole = sum(widths) + len(_SEPARATOR) * (len(widths) - 1)
        return Measurement(max(widths), whole).with_maximum(options.max_width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines: list[str] = []
        for part in self.parts:
            longer = f"{lines[-1]}{_SEPARATOR}{part}" if lines else part
            if lines and cell_len(longer) > options.max_width:
                lines.append(part)
            else:
                lines[-1:] = [longer]
        yield Text("\n".join(lines), style=self.style, overflow="fold")


def _table(*names: str, numbers: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _name(key: MemberKey) -> Text:
    return Text(who(key), overflow="fold")


def _standing(state: MemberState) -> list[Text]:
    numbers = (str(state.iteration), score_text(state.score), str(state.revision))
    return [_name(state.key), *(Text(number) for number in numbers)]


def _searched(state: MemberState) -> _Parts:
    values = state.hyperparameters.items()
    return _Parts(tuple(f"{one_line(name)} {_value(value)}" for name, value in values))


def _drawn(state: MemberState) -> _Parts:
    return _Parts(tuple(one_line(state.distribution.picture()).split(_SEPARATOR)))


def _status(facts: RunFacts, state: MemberState) -> Text:
    status = facts.member_status(state)
    return Text(status, style="red" if status == "failed" else "", no_wrap=True)


def _value(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return short(value)
    return label(thaw(value))


def _local(moment: str) -> str:
    return datetime.fromisoformat(moment).astimezone().strftime("%d %b %H:%M:%S")


def _section(console: Console, title: str, table: RenderableType) -> None:
    console.print()
    console.print(Text(title, style="bold underline"))
    console.print(table)


def _faults_title(facts: RunFacts) -> str:
    number = len(facts.faults)
    return f"Faults: the last {_FAULTS} of {number}" if number > _FAULTS else "Faults"
