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
RESULTS = Path(__file__).parent / "results" / "core.csv"
_MODULE = "benchmarks"


def main() -> None:
    """Print each table as soon as it is there; all of them together are written to RESULTS."""
    given = command.named(_MODULE, main.__doc__, BENCHMARKS)
    warnings.simplefilter("ignore")
    console, where = command.begin(_MODULE, given)
    found = {}
    for name in given or BENCHMARKS:
        begin = time.perf_counter()
        found[name] = tuple(BENCHMARKS[name]())
        took = time.perf_counter() - begin
        results.show(console, f"{name} ({took:.0f} s)", found[name])
    if set(found) == set(BENCHMARKS):
        results.write_csv(RESULTS, found, where)
        command.say_written(console, RESULTS)


if __name__ == "__main__":
    main()
