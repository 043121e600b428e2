"""``python -m benchmarks [NAME ...]``: run all benchmarks, or those named, and print them."""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Console

from benchmarks import (
    controller,
    exploit,
    exploit_in_run,
    loading,
    mutation,
    reset,
    results,
    safety,
    startup,
    throughput,
)
from benchmarks.measure import Measurement

BENCHMARKS: Mapping[str, Callable[[], Iterator[Measurement]]] = {
    "reset": reset.measure,
    "throughput": throughput.measure,
    "safety": safety.measure,
    "mutation": mutation.measure,
    "exploit": exploit.measure,
    "exploit_in_run": exploit_in_run.measure,
    "startup": startup.measure,
    "controller": controller.measure,
    "loading": loading.measure,
}
RESULTS = Path(__file__).parent / "results" / "core.csv"
_WIDTH = 140


def main() -> None:
    """Print each table as soon as it is there; all of them together are written to RESULTS."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    given = parser.parse_args().names
    names = given or list(BENCHMARKS)
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"NAME must be one of {', '.join(BENCHMARKS)}, but got {', '.join(unknown)}")
    warnings.simplefilter("ignore")
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    where = results.circumstances(["python", "-m", "benchmarks", *given])
    for key, value in where.items():
        console.print(f"{key}: {value}", highlight=False, soft_wrap=True)
    found = {}
    for name in names:
        begin = time.perf_counter()
        found[name] = tuple(BENCHMARKS[name]())
        took = time.perf_counter() - begin
        results.show(console, f"{name} ({took:.0f} s)", found[name])
    if set(found) == set(BENCHMARKS):
        results.write_csv(RESULTS, found, where)
        console.print(f"written: {RESULTS}", highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
