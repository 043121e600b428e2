"""What a contender leaves behind for whoever timed it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

_FILE = "done.json"


@dataclass(frozen=True)
class Done:
    """What was trained.

    Attributes:
        trained: iterations, of all members together.
        complaint: what went wrong; empty if nothing did.
        facts: what else it measured, by name.
    """

    trained: int
    complaint: str = ""
    facts: Mapping[str, float] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Leave it in ``folder``."""
        (folder / _FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Done:
        """What was left there.

        Raises:
            FileNotFoundError: if nothing was.
        """
        return cls(**json.loads((folder / _FILE).read_text(encoding="utf-8")))
