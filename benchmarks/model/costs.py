"""What the parts of a run cost, in seconds of a core unless something else is said."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Costs", "Lifetime", "Timing", "immortal", "mortal", "slowness"]

Lifetime = Callable[[np.random.Generator], float]
"""Draws how many seconds of its own work a process lives."""


@dataclass(frozen=True)
class Timing:
    """A time that is lognormal: ``mean`` seconds, ``jitter`` the deviation of its logarithm."""

    mean: float
    jitter: float = 0.0

    def draw(self, rng: np.random.Generator) -> float:
        """One such time."""
        return self.mean * float(_factors(self.jitter, 1, rng)[0])


@dataclass(frozen=True)
class Costs:
    """The costs of a run.

    Attributes:
        launch: seconds from the command to the start of its members' processes.
        start: of a member's process, until it can train.
        train, score, save: of a member's iteration, select suite and checkpoint.
        turn: of a member between two iterations: its result's way out and the call's way in.
        handle: of the driver, which takes one result after the other.
        become: of a member that copies another one, or that takes over a seat.
        finish: seconds from the last result to the end of the command.
        crowding: how many times as long work takes where processes share cores as it would if
            they lost nothing by it.
    """

    launch: float = 0.0
    start: float = 0.0
    train: Timing = Timing(1.0)
    score: Timing = Timing(0.0)
    save: Timing = Timing(0.0)
    turn: float = 0.0
    handle: float = 0.0
    become: float = 0.0
    finish: float = 0.0
    crowding: float = 1.0


def slowness(members: int, spread: float, rng: np.random.Generator) -> tuple[float, ...]:
    """How many times as long as others each member takes, always: lognormal, of mean one.

    Args:
        spread: the deviation of its logarithm.
    """
    return tuple(_factors(spread, members, rng).tolist())


def immortal(rng: np.random.Generator) -> float:
    """The lifetime of processes that never die."""
    return math.inf


def mortal(per_hour: float) -> Lifetime:
    """The lifetime of processes that die so often in an hour of work, however old they are."""
    if per_hour == 0.0:
        return immortal
    return lambda rng: float(rng.exponential(3600.0 / per_hour))


def _factors(deviation: float, count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.lognormal(-(deviation**2) / 2, deviation, count)
