"""Stock Ray against envolve, row by row: on the screen and as a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.faults.isolation import Ran
from benchmarks.faults.rows import Row


@dataclass(frozen=True)
class Line:
    """A row of the table with what was found.

    Attributes:
        row: of the catalogue.
        ran: its scenario on stock Ray; None if it has none.
        envolve: what the tests of our side say.
    """

    row: Row
    ran: Ran | None
    envolve: str

    @property
    def stock(self) -> str:
        """What was seen on stock Ray, or why nothing was."""
        if self.ran is None:
            return self.row.source
        if self.ran.outcome is None:
            return f"the scenario failed: {self.ran.complaint.splitlines()[0]}"
        return self.ran.outcome.text

    @property
    def happened(self) -> str:
        """Whether stock Ray did it this time: ``yes``, ``no``, or empty where nothing was seen."""
        if self.ran is None or self.ran.outcome is None:
            return ""
        return "yes" if self.ran.outcome.lost else "no"


def show(console: Console, lines: Sequence[Line]) -> None:
    """Print the table."""
    table = Table(show_lines=True)
    table.add_column("row", justify="right", no_wrap=True)
    table.add_column("what happens", overflow="fold", ratio=3)
    table.add_column("stock Ray", overflow="fold", ratio=4)
    table.add_column("seen", no_wrap=True)
    table.add_column("envolve", overflow="fold", ratio=4)
    for line in lines:
        row = line.row
        ours = f"{row.duty}: {line.envolve}"
        cells = (row.number, row.title, line.stock, line.happened, ours)
        table.add_row(*map(escape, cells))
    console.print(table)


def write_csv(path: Path, lines: Sequence[Line], where: Mapping[str, str]) -> None:
    """One line for each row, with the circumstances on every line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        own = ("row", "what", "stock", "seen", "seconds", "duty", "envolve")
        writer.writerow([*own, *where])
        for line in lines:
            seconds = "" if line.ran is None else f"{line.ran.seconds:.1f}"
            row = line.row
            values = [row.number, row.title, line.stock, line.happened, seconds, row.duty]
            writer.writerow([*values, line.envolve, *where.values()])
