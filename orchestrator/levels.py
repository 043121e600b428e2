"""Which level an env plays next: drawn from a distribution, or read off a suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from orchestrator.distributions import Distribution

Level = dict[str, Any]


@dataclass(frozen=True)
class Play:
    """One entry of a suite: a level, the seed that its episode starts from, its place."""

    index: int
    level: Level
    seed: int


class LevelInfo(Mapping[str, Any]):
    """The level of an episode as it travels in ``info["level"]``: a read-only mapping.

    Not a ``dict``, and with all that is to be told of it, because vector envs take an ``info``
    apart key by key at every reset, dicts in it included (30 microseconds for three knobs).

    Attributes:
        revision: revision of the distribution that the level was drawn from.
        play: place in the suite, or None for a level drawn for training.
    """

    __slots__ = ("_values", "play", "revision")

    def __init__(self, values: Level, revision: int, play: int | None = None) -> None:
        self._values = values
        self.revision = revision
        self.play = play

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def plain(self) -> Level:
        """A new dict of the values, several times faster than ``dict(level)``."""
        return dict(self._values)

    def __repr__(self) -> str:
        return f"LevelInfo({self._values!r}, revision={self.revision}, play={self.play})"


class LevelSource:
    """Hands one sub-env its next level; every sub-env has a source and generator of its own."""

    def __init__(self, distribution: Distribution, revision: int) -> None:
        self.distribution = distribution
        self.revision = revision
        self._rng = np.random.default_rng()
        self._plays: Sequence[Play] = ()
        self._next_play = 0

    def seed(self, seed: int) -> None:
        """Start the level generator anew from ``seed``."""
        self._rng = np.random.default_rng(seed)

    def set_distribution(self, distribution: Distribution, revision: int) -> int:
        """Draw from ``distribution`` from the next reset on; returns the revision now held.

        The generator goes on where it was: reseeding at a change would repeat its levels.
        """
        self.distribution = distribution
        self.revision = revision
        return self.revision

    def schedule(self, plays: Sequence[Play]) -> None:
        """Play these in order, then the last one again and again (fillers, not counted)."""
        self._plays = tuple(plays)
        self._next_play = 0

    def draw(self) -> tuple[LevelInfo, int | None]:
        """The next level, and the seed its episode has to start from (None: any)."""
        if not self._plays:
            return LevelInfo(self.distribution.sample(self._rng), self.revision), None
        place = self._next_play
        self._next_play += 1
        if place < len(self._plays):
            play = self._plays[place]
            return LevelInfo(play.level, self.revision, play.index), play.seed
        filler = self._plays[-1]
        return LevelInfo(filler.level, self.revision), filler.seed

    def env_seed(self) -> int:
        """A seed for an env that is built anew, from this source's own generator."""
        return int(self._rng.integers(2**31 - 1))
