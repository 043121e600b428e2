"""A member as loggers know it: in the place of a Tune trial, which is a seat for many members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(eq=False)
class LoggedMember:
    """One member in the words of `ray.tune.logger.LoggerCallback`, which asks trials for these.

    Attributes:
        trial_id: the same in every process that goes on with the member, and no other member's.
        name: ``main-seed0-m2``.
        config: what the member is and began with, one level deep.
        experiment_dir_name: what its population's members are grouped by.
        local_path: a folder for files about it.
        begun_at: training iterations that loggers were told of before this process, if any.
        unfinished: set at the end, if it has not come to its own.
        failed: set at the end, if it was given up.
    """

    trial_id: str
    name: str
    config: Mapping[str, Any]
    experiment_dir_name: str
    local_path: str
    begun_at: int = 0
    unfinished: bool = False
    failed: bool = False
    # Tune keeps none of a member's checkpoints.
    checkpoint: None = None

    @property
    def evaluated_params(self) -> Mapping[str, Any]:
        """What Tune calls the searched part of a config."""
        return self.config

    def init_local_path(self) -> None:
        """Make the folder."""
        Path(self.local_path).mkdir(parents=True, exist_ok=True)

    def __str__(self) -> str:
        return self.name
