"""``python -m benchmarks.faults [ROW ...]``: stock Ray against envolve, all rows or those named."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks import command
from benchmarks.faults import isolation, ours, table
from benchmarks.faults.rows import ROWS

RESULTS = Path(__file__).parents[1] / "results" / "faults.csv"
_MODULE = "benchmarks.faults"


def main() -> None:
    """Run each row's scenario on stock Ray, then envolve's tests; all of them are written down."""
    parser = argparse.ArgumentParser(prog=f"python -m {_MODULE}", description=main.__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument(
        "--row", action="append", default=[], dest="more", metavar="ROW", help="the same as ROW"
    )
    options = parser.parse_args()
    given: list[str] = [*options.rows, *options.more]
    command.refuse_unknown(parser, "ROW", given, ROWS)
    # A scenario's processes are ended on the way out, which this signal would skip.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    console, where = command.begin(_MODULE, given)
    lines = _lines(console, given or list(ROWS))
    table.show(console, lines)
    if len(lines) == len(ROWS):
        table.write_csv(RESULTS, lines, where)
        command.say_written(console, RESULTS)
    if any(line.envolve.startswith("FAILED") for line in lines):
        sys.exit(1)


def _lines(console: Console, names: Sequence[str]) -> list[table.Line]:
    ran = {}
    for name in dict.fromkeys(names):
        if ROWS[name].scenario is None:
            continue
        ran[name] = isolation.run(ROWS[name])
        console.print(f"row {name}: {ran[name].seconds:.0f} s", highlight=False)
        if ran[name].outcome is None:
            console.print(ran[name].complaint, highlight=False, markup=False, soft_wrap=True)
    verdicts = ours.verdicts(list(dict.fromkeys(names)))
    return [table.Line(ROWS[name], ran.get(name), verdicts[name]) for name in dict.fromkeys(names)]


if __name__ == "__main__":
    main()
