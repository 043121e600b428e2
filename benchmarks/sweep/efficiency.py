"""How fast contenders were beside the bare loops, and beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from benchmarks.measure import Aim, Measurement
from benchmarks.sweep.bare import LOOPS
from benchmarks.sweep.contenders import CONTENDERS, Contender, Ran
from benchmarks.sweep.ours import BUSY, LEAD
from benchmarks.sweep.work import Work

_TIMES_STOCK = {"stock": Aim(3.0, below=False), "strong": Aim(1.6, below=False)}

Rounds = Mapping[str, Sequence[Ran]]
"""Each contender's runs, by its name: one for each round, as long as it did not fail."""


def of_members_that_fit(rounds: Rounds, work: Work) -> Iterator[Measurement]:
    """Seconds and efficiency of each contender, and how many times as fast envolve is."""
    yield from _compared(rounds, Aim(0.8, below=False))
    for name, aim in _TIMES_STOCK.items():
        ratios = _ratios(_walls(rounds.get(name, ())), _walls(rounds.get("envolve", ())))
        if ratios:
            title = CONTENDERS[name].title.removeprefix("stock: ")
            yield Measurement(f"envolve run, times as fast as {title}", "", ratios, aim)


def of_more_than_fit(rounds: Rounds, work: Work) -> Iterator[Measurement]:
    """The same of a population that takes turns, and whether all slots and members had theirs."""
    yield from _compared(rounds, Aim(0.7, below=False))
    whole = [ran for ran in rounds.get("envolve", ()) if not ran.done.complaint]
    aims = {BUSY: Aim(0.9, below=False), LEAD: Aim(work.interval + 1)}
    for fact, aim in aims.items():
        if whole:
            values = tuple(ran.done.facts[fact] for ran in whole)
            yield Measurement(f"envolve run: {fact}", "", values, aim)


def _compared(rounds: Rounds, aim: Aim) -> Iterator[Measurement]:
    loops = tuple(ran.done.facts[LOOPS] for ran in rounds.get("bare", ()) if not ran.done.complaint)
    if loops:
        title = CONTENDERS["bare"].title
        yield Measurement(f"{title}: compute, one process per core", "s", loops)
    for name, runs in rounds.items():
        contender = CONTENDERS[name]
        if runs[-1].done.complaint:
            yield _failed(contender, runs[-1])
        walls = _walls(runs)
        if not walls:
            continue
        yield Measurement(f"{contender.title}: the whole process", "s", walls)
        efficiency = _ratios(loops, walls)
        if name != "bare" and efficiency:
            held = aim if name == "envolve" else None
            yield Measurement(f"{contender.title}: efficiency", "", efficiency, held)


def _failed(contender: Contender, ran: Ran) -> Measurement:
    what = f"{contender.title}: {ran.done.complaint}; iterations trained"
    return Measurement(what, "", (ran.done.trained,))


def _walls(runs: Sequence[Ran]) -> tuple[float, ...]:
    """Seconds of those that trained the whole work; all of them come before one that did not."""
    return tuple(ran.seconds for ran in runs if not ran.done.complaint)


def _ratios(of: Sequence[float], to: Sequence[float]) -> tuple[float, ...]:
    """Round by round, where there are both."""
    return tuple(one / other for one, other in zip(of, to, strict=False))
