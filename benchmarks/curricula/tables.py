"""What a benchmark found, line by line: on the screen and as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["Line", "number", "show", "write_csv"]

Line = Mapping[str, str]
"""Cells by column; all lines of a benchmark have the same columns."""

_ON_FILE_ALONE = ("parameters",)


def number(value: float) -> str:
    """A number as it stands in a table."""
    return f"{value:.3f}"


def show(console: Console, title: str, lines: Sequence[Line]) -> None:
    """Print one benchmark's lines, but for columns that are too wide for a screen."""
    columns = [each for each in lines[0] if each not in _ON_FILE_ALONE]
    table = Table(*columns, title=title, title_justify="left", title_style="bold")
    for line in lines:
        table.add_row(*(escape(line[each]) for each in columns))
    console.print(table)


def write_csv(path: Path, lines: Sequence[Line], where: Mapping[str, str]) -> None:
    """One row for each line, with the circumstances on every row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*lines[0], *where])
        for line in lines:
            writer.writerow([*line.values(), *where.values()])
