"""``python -m benchmarks.model [NAME ...]``: check the model against real runs, and use it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks import command
from benchmarks.curricula import tables
from benchmarks.curricula.tables import Line
from benchmarks.model import advice, checked, curves, kept_costs, pictures

RESULTS = Path(__file__).parents[1] / "results"
COSTS = RESULTS / "model_costs.csv"
_MODULE = "benchmarks.model"

Where = Mapping[str, str]


def check(console: Console, where: Where) -> None:
    """Measure the costs, then predict real runs of several sizes (some ten minutes)."""
    costs = checked.costs_on_this_machine()
    _written(console, COSTS, [*kept_costs.lines(costs)], where)
    lines = [checked.line(each) for each in checked.runs(costs)]
    tables.show(console, "check", lines)
    _written(console, RESULTS / "model_check.csv", lines, where)


def curve(console: Console, where: Where) -> None:
    """Draw the curves that follow from the costs measured last."""
    points = [*curves.all_points(kept_costs.read(COSTS))]
    _written(console, RESULTS / "model.csv", [each.cells for each in points], where)
    for file in pictures.draw(points, RESULTS):
        command.say_written(console, file)


def advise(console: Console, where: Where) -> None:
    """What to choose, given the costs measured last."""
    lines = [*advice.lines(kept_costs.read(COSTS))]
    tables.show(
        console, "advice: mode, interval: efficiency (what the other mode would add)", lines
    )
    _written(console, RESULTS / "model_advice.csv", lines, where)


PARTS: Mapping[str, Callable[[Console, Where], None]] = {
    "check": check,
    "curves": curve,
    "advice": advise,
}


def main() -> None:
    """Do all parts, or those named, one after the other."""
    given = command.named(_MODULE, __doc__, PARTS)
    console, where = command.begin(_MODULE, given)
    for name in given or PARTS:
        PARTS[name](console, where)


def _written(console: Console, file: Path, lines: Sequence[Line], where: Where) -> None:
    tables.write_csv(file, lines, where)
    command.say_written(console, file)


if __name__ == "__main__":
    main()
