"""``python -m benchmarks.real [NAME ...]``: run all benchmarks, or those named."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from rich.console import Console

import analysis
from benchmarks import command
from benchmarks.curricula import tables
from benchmarks.curricula.tables import Line
from benchmarks.real import generators, summary
from benchmarks.real.trained import run, trained
from benchmarks.setting import ROOT, RUNS

RESULTS = ROOT / "benchmarks" / "results"
_FILES = Path(__file__).parent
_MODULE = "benchmarks.real"


def arms(name: str, console: Console) -> Iterable[Line]:
    """Run a file with arms, or read the run if there is one that has ended, and print its arms.

    The run is kept: where it was stopped, or killed, the next call goes on with it.
    """
    run_dir = RUNS / f"benchmark-real-{name}"
    run(_FILES / f"{name}.yaml", run_dir)
    there = analysis.load(run_dir)
    found = trained(there)
    tables.show(console, name, [*summary.by_arm(found)])
    for each in there.faults.to_dict("records"):
        whose = f"{each['arm']}, seed {each['seed']}" if each["arm"] else "the run"
        said = f"{whose}: {each['where']}: {each['error']}; {each['action']}"
        console.print(said, markup=False, soft_wrap=True)
    return summary.by_seed(found)


def mazes(name: str, console: Console) -> Iterable[Line]:
    """Train generators and print how many of their mazes cannot be solved."""
    found = []
    for each in generators.measure():
        found.append(each)
        ended = each.error or f"{len(each.made)} iterations"
        console.print(f"{each.arm}, seed {each.seed}: {ended}", markup=False, soft_wrap=True)
    tables.show(console, name, [*generators.at_the_ends(found)])
    return generators.by_iteration(found)


BENCHMARKS: Mapping[str, Callable[[str, Console], Iterable[Line]]] = {
    "cartpole": arms,
    "maze": arms,
    "generators": mazes,
}


def main() -> None:
    """Print a table of each, and write all that it is made of below RESULTS."""
    given = command.named(_MODULE, __doc__, BENCHMARKS)
    warnings.simplefilter("ignore")
    console, where = command.begin(_MODULE, given)
    for name in given or BENCHMARKS:
        lines = [*BENCHMARKS[name](name, console)]
        file = RESULTS / f"real_{name}.csv"
        if lines:
            tables.write_csv(file, lines, where)
            command.say_written(console, file)


if __name__ == "__main__":
    main()
