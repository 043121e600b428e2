"""``python -m benchmarks [NAME ...]``: run all benchmarks, or those named, and print them."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from benchmarks import (
    command,
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
RESULTS = Path(__file__).parent / "results"
_MODULE = "benchmarks"


def main() -> None:
    """Print each table as soon as it is there, and write it to a file of its own below RESULTS."""
    given = command.named(_MODULE, main.__doc__, BENCHMARKS)
    warnings.simplefilter("ignore")
    console, where = command.begin(_MODULE, given)
    for name in given or BENCHMARKS:
        begin = time.perf_counter()
        found = tuple(BENCHMARKS[name]())
        took = time.perf_counter() - begin
        results.show(console, f"{name} ({took:.0f} s)", found)
        file = RESULTS / f"core_{name}.csv"
        results.write_csv(file, name, found, where)
        command.say_written(console, file)


if __name__ == "__main__":
    main()
