"""A comparison on the screen: the verdict, what to know about it, the arms, the pairs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from analysis.comparison.values import ArmResult, Comparison, Pair
from analysis.comparison.wording import NOTHING, estimated, number, p_value, signed
from callbacks.run_view import one_line
from orchestrator.pictures import percent

__all__ = ["print_comparison"]

_ANY_WIDTH = 1000

Column = tuple[str, Callable[..., str]]
"""A heading, and what stands below it for an arm or a pair."""


def print_comparison(found: Comparison, console: Console) -> None:
    """Print all of it, the verdict first."""
    console.print(Text(one_line(found.verdict.text, 10_000), style="bold"))
    for reason in found.verdict.reasons:
        console.print(Text(f"- {one_line(reason, 10_000)}"))
    _section(console, f"Arms on the {found.suite} suite, with 95 % intervals")
    _print(console, found.arms, [("arm", _arm), ("seeds", _seeds)], _of_arms(found))
    if found.pairs:
        many = f"Pairs; p-values after Holm's correction over all {len(found.pairs)}"
        _section(console, many if len(found.pairs) > 1 else "The pair; p-values")
        _print(console, found.pairs, [("arm", _arm_of_pair), ("against", _baseline)], _OF_PAIRS)


def _of_arms(found: Comparison) -> list[Column]:
    columns: list[Column] = [
        ("IQM", lambda arm: estimated(arm.iqm)),
        ("mean", lambda arm: estimated(arm.mean)),
        (f"CVaR {percent(found.alpha)}", lambda arm: estimated(arm.cvar)),
    ]
    if any(arm.area for arm in found.arms):
        columns.append(("area under curve", lambda arm: estimated(arm.area)))
    if found.threshold is not None:
        columns.append((f"env steps to {number(found.threshold)}", _steps))
    return columns


_OF_PAIRS: list[Column] = [
    ("difference of IQMs", lambda pair: estimated(pair.difference, signed)),
    ("P(better)", lambda pair: estimated(pair.improvement)),
    ("Welch", lambda pair: p_value(pair.welch_holm)),
    ("Mann-Whitney", lambda pair: p_value(pair.mann_whitney_holm)),
]


def _arm(arm: ArmResult) -> str:
    return one_line(arm.name)


def _seeds(arm: ArmResult) -> str:
    of = f" of {len(arm.seeds) + len(arm.missing)}" if arm.missing else ""
    return f"{len(arm.seeds)}{of}"


def _steps(arm: ArmResult) -> str:
    if arm.reached is None:
        return NOTHING
    steps = estimated(arm.steps_to_threshold, _whole)
    return f"{steps} ({arm.reached} of {len(arm.seeds)})"


def _whole(steps: float) -> str:
    return f"{steps:,.0f}" if math.isfinite(steps) else number(steps)


def _arm_of_pair(pair: Pair) -> str:
    return one_line(pair.arm)


def _baseline(pair: Pair) -> str:
    return one_line(pair.baseline)


def _print(
    console: Console,
    rows: Sequence[ArmResult] | Sequence[Pair],
    names: Sequence[Column],
    numbers: Sequence[Column],
) -> None:
    """One table; where that is too wide several, one under the other, each with the names."""
    options = console.options.update(width=_ANY_WIDTH)
    tables: list[list[Column]] = [[]]
    for column in numbers:
        wider = _table(rows, names, [*tables[-1], column])
        if tables[-1] and Measurement.get(console, options, wider).maximum > console.width:
            tables.append([])
        tables[-1].append(column)
    for place, columns in enumerate(tables):
        if place:
            console.print()
        console.print(_table(rows, names, columns))


def _table(
    rows: Sequence[ArmResult] | Sequence[Pair],
    names: Sequence[Column],
    numbers: Sequence[Column],
) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading, _ in names:
        table.add_column(heading, overflow="fold")
    for heading, _ in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(cell(row)) for _, cell in (*names, *numbers)))
    return table


def _section(console: Console, title: str) -> None:
    console.print()
    console.print(Text(title, style="bold underline"))
