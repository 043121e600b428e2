"""How much there is to learn from a level, by what its episodes showed.

=================  =======================================================================
`l1`               mean absolute GAE (Jiang et al. 2021a, arXiv 2010.03934)
`pvl`              mean of the GAE's positive part: positive value loss
                   (Jiang et al. 2021b, arXiv 2110.02439)
`maxmc`            highest return ever on the level - mean V(s) (the same paper)
`learnability`     p(1 - p), p the rate of success on the level
                   (Rutherford et al. 2024, arXiv 2408.15099)
=================  =======================================================================

Several episodes of a level count alike. As in the reference implementations, the return of
`maxmc` is undiscounted, though V(s) is not.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from orchestrator.curricula.base import Need, Outcome

__all__ = ["RULES", "Memory", "Rule"]

Memory = tuple[float, ...]
"""What a rule keeps of all episodes of a level; nothing before the first."""


class Rule(ABC):
    """From a level's episodes to its score."""

    need: ClassVar[Need] = "values"
    """What an episode must have so that it can be scored."""

    def remembered(self, memory: Memory, outcomes: Sequence[Outcome]) -> Memory:
        """The memory of a level after these further episodes of it."""
        del outcomes
        return memory

    @abstractmethod
    def score(self, memory: Memory, outcomes: Sequence[Outcome]) -> float | None:
        """The score after the latest episodes, which are in the memory already.

        None where they do not say; a number that is not finite says nothing.
        """


class _Advantage(Rule):
    """The mean of a number that each episode has under this name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def score(self, memory: Memory, outcomes: Sequence[Outcome]) -> float | None:
        del memory
        return _mean(self._name, outcomes)


class _MaxMC(Rule):
    """Remembers the highest return."""

    def remembered(self, memory: Memory, outcomes: Sequence[Outcome]) -> Memory:
        return (max([*memory, *(each.total for each in outcomes)]),)

    def score(self, memory: Memory, outcomes: Sequence[Outcome]) -> float | None:
        value = _mean("value", outcomes)
        return None if value is None else memory[0] - value


class _Learnability(Rule):
    """Remembers the successes, and the episodes that said whether they were one."""

    need: ClassVar[Need] = "success"

    def remembered(self, memory: Memory, outcomes: Sequence[Outcome]) -> Memory:
        successes, tries = memory or (0, 0)
        known = [each.success for each in outcomes if each.success is not None]
        return (successes + sum(known), tries + len(known))

    def score(self, memory: Memory, outcomes: Sequence[Outcome]) -> float | None:
        if all(each.success is None for each in outcomes):
            return None
        successes, tries = memory
        rate = successes / tries
        return rate * (1 - rate)


RULES: Mapping[str, Rule] = {
    "l1": _Advantage("l1"),
    "pvl": _Advantage("pvl"),
    "maxmc": _MaxMC(),
    "learnability": _Learnability(),
}
"""The rules by the names that experiment files use."""


def _mean(name: str, outcomes: Sequence[Outcome]) -> float | None:
    values = [each.scores[name] for each in outcomes if name in each.scores]
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else None
