"""What a benchmark hands back: a quantity with its repeats, and the aim that it is held to."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Block = Callable[[], object]


@dataclass(frozen=True)
class Aim:
    """A bound that a median should keep: below ``limit``, or at least ``limit``."""

    limit: float
    below: bool = True

    def met_by(self, value: float) -> bool:
        """Whether ``value`` keeps the bound."""
        return value < self.limit if self.below else value >= self.limit

    def __str__(self) -> str:
        return f"{'<' if self.below else '≥'} {self.limit:g}"


@dataclass(frozen=True)
class Measurement:
    """One quantity, measured several times.

    Attributes:
        what: what was measured; begins with ``stock`` where it is not envolve's.
        unit: of the samples.
        samples: one value per repeat.
        aim: what the median is held to, or None.
    """

    what: str
    unit: str
    samples: tuple[float, ...]
    aim: Aim | None = None

    def __post_init__(self) -> None:
        if not self.samples:
            raise ValueError(f"{self.what}: at least one sample must have been taken, but got none")

    @property
    def median(self) -> float:
        """The median of the samples."""
        return statistics.median(self.samples)

    @property
    def quartiles(self) -> tuple[float, float]:
        """First and third quartile: half of the samples lie between them."""
        if len(self.samples) == 1:
            return self.samples[0], self.samples[0]
        first, _, third = statistics.quantiles(self.samples, n=4, method="inclusive")
        return first, third

    @property
    def percentile95(self) -> float:
        """What 95 % of the samples do not exceed."""
        if len(self.samples) == 1:
            return self.samples[0]
        return statistics.quantiles(self.samples, n=20, method="inclusive")[-1]

    @property
    def verdict(self) -> str:
        """Whether the median keeps the aim: ``yes``, ``no``, or empty without an aim."""
        if self.aim is None:
            return ""
        return "yes" if self.aim.met_by(self.median) else "no"


def seconds(block: Block) -> float:
    """How long one call takes."""
    begin = time.perf_counter()
    block()
    return time.perf_counter() - begin


def repeated(block: Block, repeats: int, warm_up: int = 1) -> tuple[float, ...]:
    """Seconds of each of ``repeats`` calls, after ``warm_up`` calls that do not count."""
    for _ in range(warm_up):
        block()
    return tuple(seconds(block) for _ in range(repeats))


def alternated(one: Block, other: Block, repeats: int) -> Iterator[tuple[float, float]]:
    """Seconds of ``one`` and of ``other``, pair by pair, after one call of each.

    They take turns in going first, so that neither a drift of the machine nor what one leaves
    behind for the other favours either.
    """
    one()
    other()
    for repeat in range(repeats):
        if repeat % 2:
            second = seconds(other)
            yield seconds(one), second
        else:
            first = seconds(one)
            yield first, seconds(other)
