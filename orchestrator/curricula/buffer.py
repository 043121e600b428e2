"""The levels of a level buffer, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.curricula.base import Outcome
from orchestrator.curricula.level_scores import Memory
from orchestrator.distributions import EnvSpace
from orchestrator.frozen import text

__all__ = ["Buffer", "Entry", "Visit", "visits"]


@dataclass(frozen=True)
class Entry:
    """A level, and what is known of it.

    Attributes:
        level: its canonical text.
        score: the latest.
        memory: what the rule that scores it keeps of all its episodes.
        played: what the clock showed when it was last played.
    """

    level: str
    score: float
    memory: Memory
    played: int


@dataclass
class Buffer:
    """Lists side by side: the n-th entry of each is about the n-th level.

    A working copy of the state that it was read from, which stays as it is.

    Attributes:
        levels, scores, memories, played: as in `Entry`; no level is there twice.
        clock: how many episodes there were so far, of any level.
    """

    levels: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    memories: list[Memory] = field(default_factory=list)
    played: list[int] = field(default_factory=list)
    clock: int = 0

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Buffer:
        """The inverse of `to_json`."""
        return cls(
            list(state["levels"]),
            list(state["scores"]),
            [tuple(each) for each in state["memories"]],
            list(state["played"]),
            int(state["clock"]),
        )

    def to_json(self) -> dict[str, Any]:
        """This buffer as a JSON object of lists, one for each quantity."""
        return {
            "levels": list(self.levels),
            "scores": list(self.scores),
            "memories": [list(each) for each in self.memories],
            "played": list(self.played),
            "clock": self.clock,
        }

    def __len__(self) -> int:
        return len(self.levels)

    def places(self) -> dict[str, int]:
        """Where each level stands."""
        return {level: place for place, level in enumerate(self.levels)}

    def append(self, entry: Entry) -> None:
        """Take in a level that is not there yet."""
        self.levels.append(entry.level)
        self.scores.append(entry.score)
        self.memories.append(entry.memory)
        self.played.append(entry.played)

    def put(self, place: int, entry: Entry) -> None:
        """Have this level at a place, whichever was there."""
        self.levels[place] = entry.level
        self.scores[place] = entry.score
        self.memories[place] = entry.memory
        self.played[place] = entry.played


@dataclass(frozen=True)
class Visit:
    """All episodes of one level among those of an iteration.

    Attributes:
        level: its canonical text.
        ended: which of the iteration's episodes its last one was, counted from 1.
    """

    level: str
    outcomes: tuple[Outcome, ...]
    ended: int


def visits(space: EnvSpace, outcomes: Sequence[Outcome]) -> list[Visit]:
    """One visit for each level, in the order in which each first came."""
    numbers: dict[str, list[int]] = {}
    for number, outcome in enumerate(outcomes):
        numbers.setdefault(text(space.cast(outcome.level)), []).append(number)
    return [
        Visit(level, tuple(outcomes[each] for each in its), its[-1] + 1)
        for level, its in numbers.items()
    ]
