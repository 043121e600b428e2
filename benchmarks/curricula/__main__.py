"""``python -m benchmarks.curricula [NAME ...]``: run all benchmarks, or those named."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks import command
from benchmarks.curricula import duels, generators, moving_optimum, populations, tables

BENCHMARKS: Mapping[str, tuple[Callable[[], Iterator[tables.Line]], str]] = {
    "duels": (duels.measure, "curricula_synthetic.csv"),
    "populations": (populations.measure, "populations_synthetic.csv"),
    "env_pbt_toy": (moving_optimum.measure, "env_pbt_toy.csv"),
    "generators": (generators.measure, "generators.csv"),
}
"""What measures each, and the file that it is written to."""
RESULTS = Path(__file__).parents[1] / "results"
_MODULE = "benchmarks.curricula"


def main() -> None:
    """Print each table as soon as it is whole, and write it to its file below RESULTS."""
    given = command.named(_MODULE, __doc__, BENCHMARKS)
    console, where = command.begin(_MODULE, given)
    for name in given or BENCHMARKS:
        measure, file = BENCHMARKS[name]
        begin = time.perf_counter()
        lines = tuple(measure())
        tables.show(console, f"{name} ({time.perf_counter() - begin:.0f} s)", lines)
        tables.write_csv(RESULTS / file, lines, where)
        command.say_written(console, RESULTS / file)


if __name__ == "__main__":
    main()
