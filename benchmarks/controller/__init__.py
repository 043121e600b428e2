"""What the driver takes for a population, with members that cost nothing.

Two ways. In this process: Tune's own controller steps through trials that are plain objects, so
that a thousand of them fit (`in_process`). In a Tuner: each trial is an actor, as many as a machine
takes. The reference is the same with `FIFOScheduler` and no callbacks; where the trials come one
after another in the same actors, also with one longer trial for each actor (`contenders`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from benchmarks.controller import tuner
from benchmarks.controller.contenders import Size, fifo, fifo_of_seats, ours
from benchmarks.controller.measured import Times, memory, timed
from benchmarks.measure import Aim, Measurement
from benchmarks.setting import session

_SIZES = (Size(10, 10), Size(100, 100), Size(1000, 1000))
_OURS, _FIFO, _LONGER = "ours", "FIFO", "FIFO of longer trials"
_IN_TUNER = {_OURS: ours, _FIFO: fifo, _LONGER: fifo_of_seats}
_TUNED = {
    Size(10, 10): (_OURS, _FIFO),
    Size(100, 8): (_OURS, _FIFO, _LONGER),
    Size(1000, 8): (_OURS, _FIFO),
}
_REMEMBERED = (Size(100, 100), Size(1000, 1000))
_REPEATS = 5
_RATIO = Aim(0.9, below=False)
_A_RECORD = Aim(1.0)


def measure() -> Iterator[Measurement]:
    """Rates side by side, time per decision, time per record, memory per member."""
    with session():
        for size, names in _TUNED.items():
            yield from _tuned(size, names)
        decisions: dict[Size, list[float]] = {}
        for size in _SIZES:
            pairs = [(timed(ours, size), timed(fifo, size)) for _ in range(_REPEATS)]
            yield from _in_process(size, pairs)
            decisions[size] = [each.deciding / size.decisions for each, _ in pairs]
        yield _growth(decisions)
        for size in _REMEMBERED:
            held = (memory(ours, size) - memory(fifo, size)) / size.members / 2**10
            yield Measurement(f"{size}: memory of the driver per member", "KiB", (held,))


def _tuned(size: Size, names: Sequence[str]) -> Iterator[Measurement]:
    rates: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(_REPEATS):
        for name in names:
            rates[name].append(tuner.rate(_IN_TUNER[name], size))
    where = f"Tuner, {size}"
    own = rates.pop(_OURS)
    yield Measurement(f"{where}: results", "1/s", tuple(own))
    for name, bare in rates.items():
        yield Measurement(f"stock: {where}, {name}: results", "1/s", tuple(bare))
        ratios = tuple(mine / its for mine, its in zip(own, bare, strict=True))
        aim = _RATIO if name == _FIFO else None
        yield Measurement(f"{where}: ratio to {name}", "", ratios, aim)


def _in_process(size: Size, pairs: Sequence[tuple[Times, Times]]) -> Iterator[Measurement]:
    where = f"in process, {size}"

    def measured(
        what: str, unit: str, samples: Iterator[float], aim: Aim | None = None
    ) -> Measurement:
        return Measurement(f"{where}: {what}", unit, tuple(samples), aim)

    yield measured("results", "1/s", (own.rate for own, _ in pairs))
    bare = tuple(bare.rate for _, bare in pairs)
    yield Measurement(f"stock: {where}, FIFO: results", "1/s", bare)
    yield measured("ratio to FIFO", "", (own.rate / bare.rate for own, bare in pairs))
    yield measured(
        "scheduler and mutations, per decision",
        "ms",
        (own.deciding / size.decisions * 1e3 for own, _ in pairs),
    )
    yield measured(
        "retention, per decision", "ms", (own.keeping / size.decisions * 1e3 for own, _ in pairs)
    )
    yield measured(
        "journal, per record",
        "ms",
        (own.journal / own.records * 1e3 for own, _ in pairs),
        _A_RECORD,
    )


def _growth(decisions: dict[Size, list[float]]) -> Measurement:
    """How many times as long a decision takes with the most members as with the fewest."""
    few, many = _SIZES[0], _SIZES[2]
    factors = tuple(
        long / short for short, long in zip(decisions[few], decisions[many], strict=True)
    )
    aim = Aim(math.log(many.members) / math.log(few.members))
    return Measurement(f"per decision, {many} over {few}", "", factors, aim)
