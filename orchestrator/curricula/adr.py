"""``kind: adr``: automatic domain randomization, which widens each range at each end by itself.

OpenAI, "Solving Rubik's Cube with a Robot Hand" (2019), section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from orchestrator.checks import nearest, number
from orchestrator.curricula.base import (
    Curriculum,
    Move,
    Need,
    Outcome,
    Outlook,
    Owner,
    Seen,
    Stand,
    State,
)
from orchestrator.curricula.tally import Tally
from orchestrator.distributions import EnvSpace, Mixture, Product
from orchestrator.gaussian import numeric
from orchestrator.knobs import Numeric, Range
from orchestrator.pictures import short

# A step that ends this near to the legal end, in unit space, ends on it: roundings earn no step.
_SLIVER = 1e-6

Measure = Literal["return", "success"]
Side = Literal["low", "high"]
Queue = tuple[float, ...]
"""Returns, or successes as 0 and 1, oldest first."""


@dataclass(frozen=True)
class _Bound:
    """One end of the range of a numeric knob."""

    name: str
    knob: Numeric
    side: Side

    def __str__(self) -> str:
        return f"{self.name} {self.side}"

    def value(self, ranges: Product) -> float:
        """Where it is."""
        there = _range(ranges, self.name)
        return there.low if self.side == "low" else there.high

    def open(self, ranges: Product) -> bool:
        """Whether there is room outside of it."""
        legal = self.knob.low if self.side == "low" else self.knob.high
        return self.value(ranges) != legal

    def at(self, ranges: Product, value: float) -> Product:
        """The ranges with this bound there."""
        there = _range(ranges, self.name)
        moved = Range(value, there.high) if self.side == "low" else Range(there.low, value)
        return _with_range(ranges, self.name, moved)

    def pinned(self, ranges: Product) -> Product:
        """With the knob at this bound alone, and the other knobs as they are."""
        here = self.value(ranges)
        return _with_range(ranges, self.name, Range(here, here))

    def beyond(self, ranges: Product, outward: float) -> float:
        """A step outward in unit space, or inward where that is negative.

        Ends at the legal end, or at the knob's other bound.
        """
        there = _range(ranges, self.name)
        if self.side == "low":
            return min(self._stepped(there.low, -outward), there.high)
        return max(self._stepped(there.high, outward), there.low)

    def _stepped(self, value: float, delta: float) -> float:
        stepped = self.knob.moved(value, delta)
        unit = self.knob.to_unit(stepped)
        if delta < 0 and unit <= _SLIVER:
            return self.knob.low
        return self.knob.high if delta > 0 and unit >= 1 - _SLIVER else stepped


@dataclass(frozen=True)
class ADR(Curriculum):
    """Each end of each numeric range moves by how well the agent does on that very end.

    Ranges begin where the knobs start; a knob without a start begins at the middle of its legal
    range, as a point. Some levels have one knob pinned to one of its bounds, each bound as often.
    What an episode came to is put in the queue of every bound that its level lies on exactly. So
    a range that is still a point feeds the queues of both its ends with every level: it asks the
    same of the agent at either end. A full queue moves its bound, by its mean, or not; either
    way it begins anew. The state is the queues. Other knobs stay as they start.

    Attributes:
        above, below: the bound moves outward where the queue's mean is at least ``above``, and
            inward where it is at most ``below``.
        measure: what is put in the queues.
        boundary: share of the levels with a pinned knob.
        queue: episodes that decide.
        step: how far a bound moves, as a share of the legal width; an integer at least by one.
    """

    owner: ClassVar[Owner] = "member"

    above: float
    below: float
    measure: Measure = "return"
    boundary: float = 0.5
    queue: int = 10
    step: float = 0.1

    def __post_init__(self) -> None:
        above, below = number("above", self.above), number("below", self.below)
        if not below < above:
            raise ValueError(f"`below < above` must hold, but got below={below}, above={above}")
        if self.measure not in get_args(Measure):
            hint = nearest(self.measure, get_args(Measure))
            raise ValueError(f"`measure` is not known: {self.measure!r}{hint}")
        if not 0.0 < self.boundary <= 1.0:
            raise ValueError(f"`0 < boundary <= 1` must hold, but got {self.boundary}")
        if self.queue < 1:
            raise ValueError(f"`queue >= 1` must hold, but got {self.queue}")
        if not 0.0 < self.step <= 1.0:
            raise ValueError(f"`0 < step <= 1` must hold, but got {self.step}")

    @property
    def needs(self) -> frozenset[Need]:
        needs: tuple[Need, ...] = ("episodes",)
        return frozenset(needs if self.measure == "return" else (*needs, "success"))

    def begin(self, space: EnvSpace) -> Stand:
        if not _bounds(space):
            raise ValueError(
                "adr moves the ranges of continuous and integer knobs, so the env space must have "
                f"one that can vary, but got the knobs {list(space.names)}"
            )
        marginals = dict(space.initial().marginals)
        for name, knob in numeric(space).items():
            if name not in space.start:
                middle = knob.from_unit(0.5)
                marginals[name] = Range(middle, middle)
        return Stand(self._around(Product(space, marginals)), {"queues": {}})

    def observe(self, stand: Stand, seen: Seen) -> Stand:
        ranges, queues = _ranges(stand), _queues(stand)
        for outcome in seen.outcomes:
            found = self._measured(outcome)
            if found is None:
                continue
            for bound in _bounds(ranges.space):
                if outcome.level[bound.name] == bound.value(ranges):
                    queue = queues.get(str(bound), ())
                    queues[str(bound)] = self._with(queue, found, bound, ranges)
        return Stand(stand.distribution, _state(queues))

    def move(self, stand: Stand, rng: np.random.Generator) -> Move | None:
        """Each bound whose queue is full by its step."""
        del rng
        ranges, queues = _ranges(stand), _queues(stand)
        moved = []
        for bound in _bounds(ranges.space):
            if len(queue := queues.get(str(bound), ())) < self.queue:
                continue
            here, there = bound.value(ranges), self._target(bound, queue, ranges)
            if here != there:
                ranges = bound.at(ranges, there)
                mean = f"({self.measure} {_mean(queue):.3g})"
                moved.append(f"{bound} {short(here)} to {short(there)} {mean}")
            del queues[str(bound)]
        if not moved:
            return None
        return Move(Stand(self._around(ranges), _state(queues)), ", ".join(moved))

    def outlook(self, stand: Stand) -> Outlook:
        ranges, queues = _ranges(stand), _queues(stand)
        waiting = [bound for bound in _bounds(ranges.space) if bound.open(ranges)]
        if not waiting:
            return Outlook("as wide as is legal")
        tallies = {bound: _tally(queues.get(str(bound), ())) for bound in waiting}
        bound, tally = max(tallies.items(), key=lambda item: _nearness(item[1]))
        return Outlook(f"{bound}: {tally.of(self.measure, self.above, self.queue)}", waits=True)

    def _around(self, ranges: Product) -> Mixture:
        """A share of the levels with a knob pinned, each bound alike; the last part is the rest."""
        bounds = _bounds(ranges.space)
        each = self.boundary / len(bounds)
        pinned = [(each, bound.pinned(ranges)) for bound in bounds]
        return Mixture((*pinned, (1.0 - self.boundary, ranges)))

    def _measured(self, outcome: Outcome) -> float | None:
        if not outcome.trained:
            return None
        if self.measure == "return":
            return outcome.total
        return None if outcome.success is None else float(outcome.success)

    def _with(self, queue: Queue, found: float, bound: _Bound, ranges: Product) -> Queue:
        """With one more entry; emptied where it is full and moves nothing.

        A full one that moves its bound takes no more: those belong to where the bound was.
        """
        longer = (*queue, found) if len(queue) < self.queue else queue
        if len(longer) < self.queue or self._target(bound, longer, ranges) != bound.value(ranges):
            return longer
        return ()

    def _target(self, bound: _Bound, queue: Queue, ranges: Product) -> float:
        """Where a full queue moves its bound."""
        mean = _mean(queue)
        if mean >= self.above:
            return bound.beyond(ranges, self.step)
        return bound.beyond(ranges, -self.step) if mean <= self.below else bound.value(ranges)


def _bounds(space: EnvSpace) -> tuple[_Bound, ...]:
    """Both bounds of every numeric knob that can vary."""
    return tuple(
        _Bound(name, knob, side)
        for name, knob in numeric(space).items()
        if knob.low < knob.high
        for side in get_args(Side)
    )


def _range(ranges: Product, name: str) -> Range:
    found = ranges.marginals[name]
    assert isinstance(found, Range)
    return found


def _with_range(ranges: Product, name: str, new: Range) -> Product:
    return Product(ranges.space, {**ranges.marginals, name: new})


def _ranges(stand: Stand) -> Product:
    assert isinstance(stand.distribution, Mixture)
    ranges = stand.distribution.parts[-1][1]
    assert isinstance(ranges, Product)
    return ranges


def _queues(stand: Stand) -> dict[str, Queue]:
    return {name: tuple(entries) for name, entries in stand.state["queues"].items()}


def _state(queues: dict[str, Queue]) -> State:
    return {"queues": {name: list(entries) for name, entries in queues.items()}}


def _tally(queue: Queue) -> Tally:
    return Tally().plus(len(queue), _mean(queue) if queue else None)


def _nearness(tally: Tally) -> tuple[int, float]:
    return tally.episodes, tally.mean or 0.0


def _mean(queue: Queue) -> float:
    return sum(queue) / len(queue)
