"""A running count and mean of what was seen on one distribution, as a curriculum's state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Tally:
    """Episodes so far, and the mean of a quantity over them.

    Attributes:
        mean: None without any episodes.
    """

    episodes: int = 0
    mean: float | None = None

    def plus(self, episodes: int, mean: float | None) -> Tally:
        """With so many more episodes of this mean."""
        if episodes == 0 or mean is None:
            return self
        both = self.episodes + episodes
        before = 0.0 if self.mean is None else self.mean * self.episodes
        return Tally(both, (before + mean * episodes) / both)

    def reaches(self, above: float, episodes: int) -> bool:
        """Whether the mean is at least ``above``, over at least so many episodes."""
        return self.mean is not None and self.episodes >= episodes and self.mean >= above

    def of(self, what: str, above: float, episodes: int) -> str:
        """How far that is, in words."""
        mean = "–" if self.mean is None else f"{self.mean:.3g}"
        return f"{what} {mean} of {above:.3g} over {self.episodes} of {episodes} episodes"

    def to_json(self) -> dict[str, Any]:
        """This tally as a JSON object; `from_json` is the inverse."""
        return {"episodes": self.episodes, "mean": self.mean}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Tally:
        """The tally whose `to_json` is ``data``; an empty one of an empty mapping."""
        return cls(data.get("episodes", 0), data.get("mean"))
