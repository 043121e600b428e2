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
"""Each contender's runs, by its name: one for each round."""


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
    loops = [_fact(ran, LOOPS) for ran in rounds.get("bare", ())]
    if compute := _there(loops):
        title = CONTENDERS["bare"].title
        yield Measurement(f"{title}: compute, one process per core", "s", compute)
    for name, runs in rounds.items():
        contender = CONTENDERS[name]
        yield from _failed(contender, runs)
        walls = _walls(runs)
        if not _there(walls):
            continue
        yield Measurement(f"{contender.title}: the whole process", "s", _there(walls))
        efficiency = _ratios(loops, walls)
        if name != "bare" and efficiency:
            held = aim if name == "envolve" else None
            yield Measurement(f"{contender.title}: efficiency", "", efficiency, held)


def _failed(contender: Contender, runs: Sequence[Ran]) -> Iterator[Measurement]:
    failed = [ran.done for ran in runs if ran.done.complaint]
    if failed:
        often = f"{failed[-1].complaint}, in {len(failed)} of {len(runs)} rounds"
        trained = tuple(float(done.trained) for done in failed)
        yield Measurement(f"{contender.title}: {often}; iterations trained", "", trained)


def _fact(ran: Ran, fact: str) -> float | None:
    return None if ran.done.complaint else ran.done.facts[fact]


def _walls(runs: Sequence[Ran]) -> list[float | None]:
    """Seconds, round by round; None where it did not train the whole work."""
    return [None if ran.done.complaint else ran.seconds for ran in runs]


def _there(values: Sequence[float | None]) -> tuple[float, ...]:
    return tuple(value for value in values if value is not None)


def _ratios(of: Sequence[float | None], to: Sequence[float | None]) -> tuple[float, ...]:
    """Round by round, where there are both."""
    pairs = zip(of, to, strict=False)
    return tuple(one / other for one, other in pairs if one is not None and other is not None)
