"""Signs of life of trials that are held back: Tune watches only actors that have a task."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator import tune

_SECONDS = 5.0


class Pings:
    """Asks from time to time; one question to each trial at once."""

    def __init__(self) -> None:
        self._asked: dict[str, Any] = {}
        self._asked_at = time.monotonic()

    def ask(self, trials: Mapping[str, Any]) -> None:
        """Ask these trials, by id, if it is time to."""
        if time.monotonic() - self._asked_at > _SECONDS:
            self._asked_at = time.monotonic()
            for name, trial in trials.items():
                self._asked.setdefault(name, tune.ping(trial))

    def forget(self, name: str) -> None:
        """No answer of this trial is waited for any more."""
        self._asked.pop(name, None)

    def deaths(self) -> Iterator[tuple[str, Exception]]:
        """Trials whose actors cannot answer, and why not."""
        for name, reference in [*self._asked.items()]:
            if tune.answered(reference):
                self.forget(name)
                death = tune.death(reference)
                if death is not None:
                    yield name, death
