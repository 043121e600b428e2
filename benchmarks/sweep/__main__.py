"""``python -m benchmarks.sweep [NAME ...]``: how close to bare loops' speed a population trains."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks import command, results
from benchmarks.measure import Measurement
from benchmarks.sweep import efficiency
from benchmarks.sweep.contenders import CONTENDERS, Ran, run
from benchmarks.sweep.rounds import in_turns
from benchmarks.sweep.work import Work

RESULTS = Path(__file__).parents[1] / "results"
_MODULE = "benchmarks.sweep"


@dataclass(frozen=True)
class Sweep:
    """One of the benchmarks.

    Attributes:
        contenders: who takes part.
        work: what the options make of it.
        table: what is made of the contenders' runs.
    """

    contenders: Sequence[str]
    work: Callable[[argparse.Namespace], Work]
    table: Callable[[efficiency.Rounds, Work], Iterator[Measurement]]


SWEEPS: Mapping[str, Sweep] = {
    "fitting": Sweep(
        tuple(CONTENDERS),
        lambda options: Work(options.members, options.iterations, options.interval, _cores()),
        efficiency.of_members_that_fit,
    ),
    "crowd": Sweep(
        ("bare", "envolve"),
        lambda options: Work(
            options.crowd_members,
            options.crowd_iterations,
            options.interval,
            _cores(),
            options.resident,
        ),
        efficiency.of_more_than_fit,
    ),
}
_QUICK = {
    "repeats": 1,
    "members": 2,
    "iterations": 4,
    "interval": 2,
    "crowd_members": 4,
    "crowd_iterations": 4,
    "resident": 2,
}


def main() -> None:
    """Print a table of each; it is written to RESULTS if nothing was left out."""
    options = parsed(sys.argv[1:])
    # A contender's processes are ended on the way out, which this signal would skip.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    warnings.simplefilter("ignore")
    console, where = command.begin(_MODULE, sys.argv[1:])
    for name in options.names or SWEEPS:
        work = SWEEPS[name].work(options)
        title = f"{name}: {_text(work)}"
        measured = tuple(_measured(console, SWEEPS[name], work, options))
        results.show(console, title, measured)
        if _whole(SWEEPS[name], options):
            file = RESULTS / f"sweep_{name}.csv"
            results.write_csv(file, title, measured, where)
            command.say_written(console, file)


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The options; exits with 2 where they make no sense."""
    parser = argparse.ArgumentParser(prog=f"python -m {_MODULE}", description=main.__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(SWEEPS))
    parser.add_argument("--quick", action="store_true", help="as little of each as makes sense")
    parser.add_argument("--repeats", type=_positive, default=5)
    parser.add_argument("--members", type=_positive, default=8)
    parser.add_argument("--iterations", type=_positive, default=60)
    parser.add_argument("--interval", type=_positive, default=6)
    parser.add_argument("--crowd-members", type=_positive, default=32)
    parser.add_argument("--crowd-iterations", type=_positive, default=24)
    parser.add_argument("--resident", type=_positive, default=4, help="of the crowd at once")
    parser.add_argument(
        "--contenders", nargs="+", choices=CONTENDERS, default=[*CONTENDERS], metavar="CONTENDER"
    )
    if "--quick" in arguments:
        parser.set_defaults(**_QUICK)
    options = parser.parse_args(arguments)
    command.refuse_unknown(parser, "NAME", options.names, SWEEPS)
    for name in options.names or SWEEPS:
        work = SWEEPS[name].work(options)
        if work.iterations % work.interval:
            parser.error(
                f"the interval must divide the iterations of {name}, "
                f"but got {work.interval} and {work.iterations}"
            )
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, but got {number}")
    return number


def _whole(sweep: Sweep, options: argparse.Namespace) -> bool:
    """Whether nothing was left out."""
    return not options.quick and set(sweep.contenders) <= set(options.contenders)


def _measured(
    console: Console, sweep: Sweep, work: Work, options: argparse.Namespace
) -> Iterator[Measurement]:
    names = [name for name in sweep.contenders if name in options.contenders]
    rounds = in_turns(names, options.repeats, lambda name: _run(console, name, work))
    return sweep.table(rounds, work)


def _run(console: Console, name: str, work: Work) -> Ran:
    """Run a contender and say how it went, for it takes its time until there is a table."""
    ran = run(CONTENDERS[name], work)
    said = ran.done.complaint or f"{ran.done.trained} iterations"
    console.print(f"{name}: {ran.seconds:.1f} s: {said}", highlight=False, markup=False)
    if ran.output:
        console.print(ran.output, highlight=False, markup=False, soft_wrap=True)
    return ran


def _text(work: Work) -> str:
    resident = "" if work.resident is None else f", {work.resident} of them resident"
    size = f"{work.members} members × {work.iterations} iterations, interval {work.interval}"
    return f"{size}, {work.cores} cores{resident}"


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


if __name__ == "__main__":
    main()
