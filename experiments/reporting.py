"""``envolve report``: one run, or several compared, as an HTML file that opens offline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from experiments.problems import BadInput
from experiments.replacing import place_problems, replacing
from experiments.run_dir import RunDir, find_run

__all__ = ["REPORT", "report", "write_report"]

#: A run's own report, in its directory.
REPORT = "report.html"
#: Where several are compared, in the current directory.
COMPARISON = "comparison.html"

_ENDINGS = (".html", ".htm")


def report(names: Sequence[str], to: Path | None) -> None:
    """Write the report of some runs, and say where it is.

    Runs that cannot be compared are all in it, with the reasons in place of a verdict.

    Raises:
        BadInput: if ``to`` is no place for a report.
        NotARun: if there is no such run.
        DamagedJournal: naming the line that cannot be read.
        NotWritable: if the report cannot be written.
    """
    runs = list(dict.fromkeys(find_run(name) for name in names))
    own = runs[0].path / REPORT
    if to is not None and to.resolve() != own:
        problems = place_problems("--to", to, _ENDINGS)
        if problems:
            raise BadInput(problems)
    path = to or (own if len(runs) == 1 else Path(COMPARISON))
    typer.echo(f"report: {_write(runs, path)}")


def write_report(place: RunDir) -> Path:
    """Write a run's own report into its directory; returns where.

    Raises:
        DamagedJournal: naming the line that cannot be read.
        NotWritable: if the report cannot be written.
    """
    return _write([place], place.path / REPORT)


def _write(runs: Sequence[RunDir], path: Path) -> Path:
    # Plotly and pandas take a moment.
    import analysis
    from analysis import report

    text = report.html([analysis.load(run.path) for run in runs])
    with replacing(path) as place:
        place.write_text(text, encoding="utf-8")
    return path
