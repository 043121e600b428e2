"""Contenders one after another, round by round, in rotating order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.sweep.contenders import Ran


def in_turns(names: Sequence[str], repeats: int, run: Callable[[str], Ran]) -> dict[str, list[Ran]]:
    """Run each of ``names`` once in each of so many rounds, whether it ends well or not.

    Each round begins with another contender, so that neither a drift of the machine nor what
    one leaves behind for the next favours any.
    """
    rounds: dict[str, list[Ran]] = {name: [] for name in names}
    for number in range(repeats):
        for name in rotated(names, number):
            rounds[name].append(run(name))
    return rounds


def rotated(names: Sequence[str], by: int) -> list[str]:
    """``names``, beginning with another one for each ``by``."""
    first = by % len(names)
    return [*names[first:], *names[:first]]
