"""The picture of a run that goes on, for terminals of any width."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from callbacks.run_view import FAILED, Row, RunView, score_text
from orchestrator.pictures import counted
from orchestrator.records import Exploit, Fault

_FEWEST_ROWS = 6
_WIDE = 120
_NARROW = 100
# Lines around the members: the bar, the header, what is left out, the next move, the cursor.
_AROUND = 5
_STYLES = {Exploit.kind: "yellow", Fault.kind: "red"}


def picture(view: RunView, width: int, height: int) -> RenderableType:
    """The run in about ``height`` lines: a bar, the members, and what moved last."""
    rows, hidden = view.rows(max(_FEWEST_ROWS, height - len(view.moves) - _AROUND))
    nexts = {row.next_move for row in rows}
    if len(nexts) > 1 and width < _WIDE:
        # A second line for each member has to fit as well.
        rows, hidden = view.rows(max(_FEWEST_ROWS, (height - len(view.moves) - _AROUND) // 2))
    parts: list[RenderableType] = [_bar(view)]
    if rows:
        parts.append(_members(view, rows, width))
    if hidden:
        parts.append(_line(f"… and {hidden} more", "dim"))
    if len(nexts) == 1:
        parts.append(_line(f"next: {next(iter(nexts))}", "dim"))
    parts += [_line(view.told(move), _STYLES.get(move.kind, "")) for move in view.moves]
    return Group(*parts)


def _bar(view: RunView) -> Table:
    bar = Table.grid(expand=True, padding=(0, 1))
    bar.add_column(max_width=24, no_wrap=True, overflow="ellipsis")
    bar.add_column(ratio=1)
    bar.add_column(no_wrap=True, justify="right")
    share = view.share
    total, done = (None, 0.0) if share is None else (1.0, share)
    faults = f" · {counted(view.faults, 'fault')}" if view.faults else ""
    bar.add_row(
        Text(view.name or "run", style="bold"),
        ProgressBar(total=total, completed=done, pulse=share is None),
        Text(view.work + faults),
    )
    return bar


def _members(view: RunView, rows: Sequence[Row], width: int) -> Table:
    narrow = width < _NARROW
    nexts = len({row.next_move for row in rows}) > 1
    table = Table(box=None, expand=True, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("member", no_wrap=True)
    for name in ("iter", "score", "rev") if narrow else ("iteration", "score", "revision"):
        table.add_column(name, no_wrap=True, justify="right")
    table.add_column("envs", no_wrap=True, overflow="ellipsis", ratio=3)
    if nexts and width >= _WIDE:
        table.add_column("next", no_wrap=True, overflow="ellipsis", ratio=2)
    for row in rows:
        cells = [
            _from_the_right(view.name_of(row.key), max(8, width // 4)),
            str(row.iteration),
            score_text(row.score),
            str(row.revision),
            row.picture,
        ]
        if nexts and width >= _WIDE:
            cells.append(row.next_move)
        elif nexts:
            cells[-1] += f"\n{row.next_move}"
        style = "red" if row.next_move == FAILED else ""
        table.add_row(*(Text(cell, style=style) for cell in cells))
    return table


def _line(words: str, style: str) -> Text:
    return Text(words, style=style, no_wrap=True, overflow="ellipsis")


def _from_the_right(words: str, width: int) -> str:
    """The end of ``words``, where names differ."""
    return words if len(words) <= width else "…" + words[1 - width :]
