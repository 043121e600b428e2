"""``python -m benchmarks.curricula [NAME ...]``: run all benchmarks, or those named."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Console

from benchmarks import results
from benchmarks.curricula import duels, generators, moving_optimum, populations, tables

BENCHMARKS: Mapping[str, tuple[Callable[[], Iterator[tables.Line]], str]] = {
    "duels": (duels.measure, "curricula_synthetic.csv"),
    "populations": (populations.measure, "populations_synthetic.csv"),
    "env_pbt_toy": (moving_optimum.measure, "env_pbt_toy.csv"),
    "generators": (generators.measure, "generators.csv"),
}
"""What measures each, and the file that it is written to."""
RESULTS = Path(__file__).parents[1] / "results"
_WIDTH = 150


def main() -> None:
    """Print each table as soon as it is whole, and write it to its file below RESULTS."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curricula", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    given = parser.parse_args().names
    unknown = sorted(set(given) - set(BENCHMARKS))
    if unknown:
        parser.error(f"NAME must be one of {', '.join(BENCHMARKS)}, but got {', '.join(unknown)}")
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    where = results.circumstances(["python", "-m", "benchmarks.curricula", *given])
    for key, value in where.items():
        console.print(f"{key}: {value}", highlight=False, soft_wrap=True)
    for name in given or BENCHMARKS:
        measure, file = BENCHMARKS[name]
        begin = time.perf_counter()
        lines = tuple(measure())
        tables.show(console, f"{name} ({time.perf_counter() - begin:.0f} s)", lines)
        tables.write_csv(RESULTS / file, lines, where)
        console.print(f"written: {RESULTS / file}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
