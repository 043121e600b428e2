"""What a scenario hands back, in the process that ran it and across to the one that asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """What was seen on stock Ray.

    Attributes:
        text: in words, with the figures that were measured.
        lost: whether it did happen: a model, its state or its progress was lost or corrupted,
            or the run with it.
    """

    text: str
    lost: bool

    def write(self, path: Path) -> None:
        """Leave it for the process that asked."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Outcome:
        """What `write` left; FileNotFoundError if the scenario did not come to its end."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


Scenario = Callable[[Path], Outcome]
"""Runs in a process of its own; gets a private folder, which is removed afterwards."""
