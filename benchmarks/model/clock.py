"""Simulated time: processes that go from step to step, and the loop that wakes them."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Iterator

__all__ = ["Clock", "Gate", "Process", "Resume", "Step"]

Resume = Callable[[], None]
"""Called when a step is over."""
Step = Callable[[Resume], None]
"""Something that takes simulated time."""
Process = Iterator[Step]
"""A generator that yields the steps it has to wait for, one after the other."""


class Clock:
    """Wakes what is due, in the order of time, and in the order it was planned within an instant.

    Attributes:
        now: seconds since the beginning.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, int, Resume]] = []
        self._order = itertools.count()

    def after(self, seconds: float, resume: Resume) -> None:
        """Have ``resume`` called so many seconds from now."""
        heapq.heappush(self._due, (self.now + seconds, next(self._order), resume))

    def sleep(self, seconds: float) -> Step:
        """A step that takes so many seconds, whatever else goes on."""
        return lambda resume: self.after(seconds, resume)

    def start(self, process: Process) -> None:
        """Have a process begin now."""

        def resume() -> None:
            step = next(process, None)
            if step is not None:
                step(resume)

        self.after(0.0, resume)

    def run(self, until: float = math.inf) -> None:
        """Go on until nothing is due any more, or not before ``until``."""
        while self._due and self._due[0][0] <= until:
            self.now, _, resume = heapq.heappop(self._due)
            resume()


class Gate:
    """Holds processes until it is opened; it closes behind them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: list[Resume] = []

    def passed(self, resume: Resume) -> None:
        """The step of waiting for the gate to open."""
        self._held.append(resume)

    def open(self) -> None:
        """Let go on all who wait, in the order they came."""
        held, self._held = self._held, []
        for resume in held:
            self._clock.after(0.0, resume)
