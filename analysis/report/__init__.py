"""A report of one run, or of several compared: one HTML file that opens offline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analysis.frames import Run
from analysis.report.page import render
from orchestrator.atomic import replaced

__all__ = ["html", "write"]


def html(runs: Sequence[Run]) -> str:
    """The report as a page that loads nothing from anywhere.

    Where `analysis.compare` refuses, its reasons stand in place of the verdict, and the rest of
    the report is there.

    Raises:
        ValueError: without a run.
    """
    # Error texts may hold bytes that were none of any encoding's.
    return render(runs).encode("utf-8", "replace").decode()


def write(runs: Sequence[Run], path: str | Path) -> Path:
    """Write the report to ``path``, whole or not at all; returns where it is.

    Raises:
        ValueError: without a run.
        OSError: if it cannot be written.
    """
    target = Path(path)
    text = html(runs)
    with replaced(target) as place:
        place.write_text(text, encoding="utf-8")
    return target.resolve()
