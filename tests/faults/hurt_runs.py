"""What the fixtures of this folder hand out."""

from __future__ import annotations

from dataclasses import dataclass

from real_runs import Ended, RunOnDisk

LAST = 8


@dataclass(frozen=True)
class TakenUp:
    """A run that was killed, moved, robbed of Tune's files, and resumed with a longer stop.

    Attributes:
        killed_at: records in the journal when everything was killed.
        second: what a second process was told that wanted the same run at the same time.
        listening: addresses on which its processes listened.
    """

    run: RunOnDisk
    ended: Ended
    killed_at: int
    second: Ended
    listening: set[str]
