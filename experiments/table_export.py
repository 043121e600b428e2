"""``envolve show RUN --table``: one frame of a run, on the screen or as a file for other tools.

In files of columns, a cell that holds a JSON value (of the columns ``level``, ``weights`` and
``value``) is its JSON text, since no column type holds values of several kinds. Everything else
keeps its type. Rows of JSON have the values themselves, and null for NaN.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from callbacks.run_view import one_line
from experiments.hints import nearest, one_of
from experiments.problems import BadInput, Problem
from experiments.replacing import place_problems, replacing
from experiments.run_dir import find_run
from orchestrator.frozen import thaw
from orchestrator.pictures import counted, short

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TABLES", "columns_of_text", "frame_of", "print_table", "show_table", "write_table"]

TABLES = (
    "results",
    "scores",
    "mutations",
    "lineage",
    "checkpoints",
    "faults",
    "distributions",
    "hyperparameters",
    "seconds",
    "levels",
)
"""The frames of `analysis.Run`, by their names."""

# Rows shown of each end of a table.
_SHOWN = 10


def show_table(name: str, table: str, to: Path | None, *, as_json: bool) -> None:
    """Print a table of a run, or write it to the file ``to``, whose ending says how.

    Raises:
        BadInput: if there is no such table or ending; all of it at once.
        NotARun: if there is no run.
        DamagedJournal: naming the line that cannot be read.
        NotWritable: if the file cannot be written.
    """
    problems = [*_table_problems(table), *_place_problems(to)]
    if problems:
        raise BadInput(problems)
    frame = frame_of(name, table)
    if to is not None:
        write_table(frame, to)
        if as_json:
            typer.echo(json.dumps({"table": table, "rows": len(frame), "path": str(to)}))
        else:
            typer.echo(f"{table}: {counted(len(frame), 'row')} written to {to}")
    elif as_json:
        for line in _json_lines(frame):
            typer.echo(line, nl=False)
    else:
        print_table(table, frame, Console())


def frame_of(name: str, table: str) -> pd.DataFrame:
    """A frame of the run that ``name`` means."""
    import analysis

    frame: pd.DataFrame = getattr(analysis.load(find_run(name).path), table)
    return frame


def print_table(table: str, frame: pd.DataFrame, console: Console) -> None:
    """The first and the last rows of a frame, all of a short one, and how many there are."""
    rows = len(frame)
    whole = rows <= 2 * _SHOWN
    said = "" if whole else f"; the first and last {_SHOWN} (`--to {table}.csv` writes all)"
    console.print(Text.assemble((table, "bold"), f": {counted(rows, 'row')}{said}"))
    shown = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name, kind in frame.dtypes.items():
        number = kind.kind in "if"
        # What is too wide is cut, so that a row is a line as long as its words allow.
        shown.add_column(
            Text(str(name)),
            justify="right" if number else "left",
            no_wrap=number,
            overflow="ellipsis",
        )
    ends = [frame] if whole else [frame.head(_SHOWN), frame.tail(_SHOWN)]
    for place, end in enumerate(ends):
        if place:
            shown.add_row(*(Text("…") for _ in frame.columns))
        for row in _rows(end):
            shown.add_row(*(Text(_cell(value)) for value in row.values()))
    console.print(shown)


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame atomically, in the format that the ending of ``path`` says.

    Raises:
        KeyError: for an ending that is none of ours.
        NotWritable: if it cannot be written.
    """
    write = _WRITERS[path.suffix]
    with replacing(path) as place:
        write(frame, place)


def columns_of_text(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with JSON text in place of the values of its object columns.

    None is missing in these. The inverse is ``column.map(json.loads, na_action="ignore")``.
    """
    objects = frame.columns[frame.dtypes == "object"]
    texts = {name: frame[name].map(_json, na_action="ignore").astype("str") for name in objects}
    return frame.assign(**texts)


def _csv(frame: pd.DataFrame, place: Path) -> None:
    columns_of_text(frame).to_csv(place, index=False, lineterminator="\n")


def _parquet(frame: pd.DataFrame, place: Path) -> None:
    columns_of_text(frame).to_parquet(place, index=False)


def _feather(frame: pd.DataFrame, place: Path) -> None:
    columns_of_text(frame).to_feather(place)


def _json_array(frame: pd.DataFrame, place: Path) -> None:
    with open(place, "w", encoding="utf-8") as file:
        file.writelines(_json_lines(frame))


def _json_objects(frame: pd.DataFrame, place: Path) -> None:
    with open(place, "w", encoding="utf-8") as file:
        file.writelines(f"{_json(row)}\n" for row in _rows(frame))


_WRITERS: Mapping[str, Callable[[pd.DataFrame, Path], None]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".feather": _feather,
    ".json": _json_array,
    ".jsonl": _json_objects,
}


def _table_problems(table: str) -> list[Problem]:
    if table in TABLES:
        return []
    must = f"must be {one_of(TABLES)}"
    return [Problem.at(f"--table {table}", must, hint=nearest(table, TABLES))]


def _place_problems(to: Path | None) -> list[Problem]:
    return [] if to is None else place_problems("--to", to, tuple(_WRITERS))


def _rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Each row as JSON values."""
    names = [str(name) for name in frame.columns]
    for row in frame.itertuples(index=False, name=None):
        yield dict(zip(names, map(_plain, row), strict=True))


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return thaw(value)


def _json_lines(frame: pd.DataFrame) -> Iterator[str]:
    """A JSON array, a row a line."""
    before = "[\n"
    for row in _rows(frame):
        yield f"{before}{_json(row)}"
        before = ",\n"
    yield "[]\n" if before == "[\n" else "\n]\n"


def _json(value: Any) -> str:
    return json.dumps(thaw(value), ensure_ascii=False, separators=(", ", ": "))


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return short(value)
    return one_line(value if isinstance(value, str) else _json(value))
