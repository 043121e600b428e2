"""Measurements as a table on the screen and as a CSV file that says where they were taken."""

from __future__ import annotations

import csv
import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Measurement

_VERSIONS = ("ray", "torch", "gymnasium", "numpy")
_CPUINFO = Path("/proc/cpuinfo")


def circumstances(command: Sequence[str]) -> dict[str, str]:
    """Machine, versions, date and command; the load says what else the machine was doing."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = psutil.virtual_memory().total / 2**30
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{_processor()}, {cores} cores, {memory:.0f} GiB",
        "load": f"{os.getloadavg()[0]:.2f}",
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _VERSIONS},
        "command": " ".join(command),
    }


def show(console: Console, name: str, measurements: Sequence[Measurement]) -> None:
    """Print one benchmark's measurements as a table."""
    table = Table(title=name, title_justify="left", title_style="bold")
    table.add_column("what", overflow="fold")
    for heading in ("median", "half of them", "95 %", "repeats", "aim", "met"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in measurements:
        low, high = each.quartiles
        table.add_row(
            each.what,
            f"{each.median:.4g} {each.unit}".strip(),
            f"{low:.4g} – {high:.4g}",
            f"{each.percentile95:.4g}",
            str(len(each.samples)),
            "" if each.aim is None else str(each.aim),
            each.verdict,
        )
    console.print(table)


def write_csv(
    path: Path, name: str, measurements: Sequence[Measurement], where: Mapping[str, str]
) -> None:
    """One line for each measurement, with the circumstances on every line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        own = ("benchmark", "what", "unit", "median", "quartile1", "quartile3")
        writer.writerow([*own, "percentile95", "repeats", "aim", "met", *where])
        for each in measurements:
            spread = (each.median, *each.quartiles, each.percentile95)
            numbers = [f"{value:.6g}" for value in spread]
            aim = "" if each.aim is None else str(each.aim)
            values = [name, each.what, each.unit, *numbers, len(each.samples)]
            writer.writerow([*values, aim, each.verdict, *where.values()])


def _processor() -> str:
    try:
        lines = _CPUINFO.read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()
