"""Costs as a file, so that curves can be drawn without measuring anew."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from benchmarks.curricula.tables import Line
from benchmarks.model.costs import Costs, Timing

__all__ = ["lines", "read"]


def lines(costs: Costs) -> Iterator[Line]:
    """A line for each cost; one that is always the same has no jitter."""
    for field in fields(costs):
        value = getattr(costs, field.name)
        mean, jitter = (value.mean, value.jitter) if isinstance(value, Timing) else (value, "")
        yield {"cost": field.name, "value": f"{mean}", "jitter": f"{jitter}"}


def read(path: Path) -> Costs:
    """The costs that were written as `lines`."""
    with open(path, newline="", encoding="utf-8") as file:
        found = {line["cost"]: _cost(line) for line in csv.DictReader(file)}
    return Costs(**found)  # type: ignore[arg-type]


def _cost(line: Line) -> Timing | float:
    mean = float(line["value"])
    return Timing(mean, float(line["jitter"])) if line["jitter"] else mean
