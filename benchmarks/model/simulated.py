"""One population, simulated: members in seats, boundaries, failures.

What is simulated is the scheduler's doing. Members that have arrived at a boundary are scored and
saved; in synchronous mode they wait there for the others, in asynchronous mode each is decided
about at once. A seat whose member waits or is done goes to the member without a seat that is
furthest behind, and so does one whose member has been decided about and is ahead of that. A
process that dies is started again, and its member goes on from its last boundary.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.model.clock import Clock, Gate, Step
from benchmarks.model.cores import Cores, Thread
from benchmarks.model.costs import Costs, Lifetime, immortal

__all__ = ["Cluster", "Outcome", "Plan", "simulate"]


@dataclass(frozen=True)
class Cluster:
    """Machines that are alike. The driver works on the first one's cores.

    Attributes:
        lifetime: of a member's process.
    """

    machines: int
    cores: int
    lifetime: Lifetime = immortal

    @property
    def all_cores(self) -> int:
        """Those of all machines."""
        return self.machines * self.cores


@dataclass(frozen=True)
class Plan:
    """What a population has to do.

    Attributes:
        slowness: of each member, how many times as long as the costs say it trains and scores.
        mode: ``sync`` or ``async``.
        interval: iterations between boundaries.
        iterations: of each member.
        seats: members that are resident at once; None: all.
        copying: share of the members decided about that copy another one.
    """

    slowness: Sequence[float]
    mode: str
    interval: int
    iterations: int
    seats: int | None = None
    copying: float = 0.25


@dataclass
class Outcome:
    """What came of it.

    Attributes:
        begun: when the first member began to train, in seconds from the command.
        trained: when the last result was in, or the time was up.
        ended: when the command ended; `trained` if the time was up.
        training: seconds of a core that were trained, those that had to be done again left out.
        lost: seconds of a core, of training, scores and saves, that had to be done again.
        failures: processes that died.
        iterations: of each member.
        decided: boundaries of each member.
    """

    begun: float = math.inf
    trained: float = 0.0
    ended: float = 0.0
    training: float = 0.0
    lost: float = 0.0
    failures: int = 0
    iterations: tuple[int, ...] = ()
    decided: tuple[int, ...] = ()

    def efficiency(self, cores: int) -> float:
        """Share of the cores' time that went into training that counts, since training began."""
        return self.training / (cores * (self.trained - self.begun))


def simulate(
    plan: Plan, costs: Costs, cluster: Cluster, seed: int, until: float = math.inf
) -> Outcome:
    """One run of one population.

    Args:
        seed: every member has a generator of its own that is derived from it, so that plans which
            differ in mode or interval alone meet with the same iterations.
        until: seconds from the command at which the run is cut off.
    """
    return _Run(plan, costs, cluster, seed).outcome(until)


@dataclass
class _Member:
    """Where a member stands.

    Attributes:
        decided: the last iteration at which it was decided about.
        unsaved: seconds of training since it was saved.
        left: seconds of work that its process still lives.
        copies: whether it has to become another one before it trains.
    """

    slowness: float
    rng: np.random.Generator
    iteration: int = 0
    decided: int = 0
    boundaries: int = 0
    unsaved: float = 0.0
    left: float = math.inf
    copies: bool = False
    seated: bool = False


class _Run:
    def __init__(self, plan: Plan, costs: Costs, cluster: Cluster, seed: int) -> None:
        self._plan, self._costs, self._cluster = plan, costs, cluster
        self._clock = Clock()
        self._machines = [
            Cores(self._clock, cluster.cores, costs.crowding) for _ in range(cluster.machines)
        ]
        self._driver = Thread(self._machines[0])
        self._gate = Gate(self._clock)
        generators = np.random.default_rng(seed).spawn(len(plan.slowness))
        pairs = zip(plan.slowness, generators, strict=True)
        self._members = [_Member(slowness, rng) for slowness, rng in pairs]
        self._unseated = len(self._members)
        self._waiting: list[_Member] = []
        self._done = 0
        self._outcome = Outcome()

    def outcome(self, until: float) -> Outcome:
        seats = min(self._plan.seats or len(self._members), len(self._members))
        for seat, member in enumerate(self._members[:seats]):
            self._sit(member)
            self._clock.start(self._seat(member, self._machines[seat % len(self._machines)]))
        self._clock.run(until)
        found = self._outcome
        if self._done == len(self._members):
            found.ended = found.trained + self._costs.finish
        else:
            found.trained = found.ended = until
        found.iterations = tuple(member.iteration for member in self._members)
        found.decided = tuple(member.boundaries for member in self._members)
        return found

    # Processes

    def _seat(self, member: _Member, cores: Cores) -> Iterator[Step]:
        """A process of members, from its start until no member is left to sit in it."""
        yield self._clock.sleep(self._costs.launch)
        yield from self._started(member, cores)
        self._outcome.begun = min(self._outcome.begun, self._clock.now)
        seated: _Member | None = member
        while seated is not None:
            yield from self._iterated(seated, cores)
            yield self._driver.work(self._costs.handle)
            self._outcome.trained = self._clock.now
            self._take_in(seated)
            while self._has_to_wait(seated):
                yield self._gate.passed
            left, seated = seated, self._next_after(seated)
            if seated is not None and (seated is not left or seated.copies):
                seated.copies = False
                seated.left = left.left
                yield cores.work(self._costs.become)

    def _started(self, member: _Member, cores: Cores) -> Iterator[Step]:
        member.left = self._cluster.lifetime(member.rng)
        yield cores.work(self._costs.start)
        yield self._driver.work(self._costs.handle)

    def _iterated(self, member: _Member, cores: Cores) -> Iterator[Step]:
        """Until the member has come through an iteration, however often its process dies."""
        while True:
            training, work = self._drawn(member)
            if work < member.left:
                yield cores.work(work + self._costs.turn)
                member.left -= work
                member.unsaved += training
                self._outcome.training += training
                return
            yield cores.work(member.left)
            self._outcome.failures += 1
            self._outcome.lost += member.unsaved + member.left
            self._outcome.training -= member.unsaved
            member.iteration, member.unsaved = member.decided, 0.0
            yield from self._started(member, cores)

    def _drawn(self, member: _Member) -> tuple[float, float]:
        """Seconds of training in the member's next iteration, and of all its work."""
        costs, rng = self._costs, member.rng
        training = member.slowness * costs.train.draw(rng)
        if not self._ends_interval(member.iteration + 1):
            return training, training
        score = member.slowness * costs.score.draw(rng)
        return training, training + score + costs.save.draw(rng)

    # Decisions

    def _take_in(self, member: _Member) -> None:
        member.iteration += 1
        if self._ends_interval(member.iteration):
            member.unsaved = 0.0
        if self._is_done(member):
            self._done += 1
        elif self._ends_interval(member.iteration):
            self._waiting.append(member)
        everybody = len(self._members) - self._done
        if self._waiting and (self._plan.mode == "async" or len(self._waiting) == everybody):
            self._decide()

    def _decide(self) -> None:
        for member in self._waiting:
            member.decided = member.iteration
            member.boundaries += 1
            member.copies = bool(member.rng.random() < self._plan.copying)
        self._waiting.clear()
        self._gate.open()

    def _next_after(self, member: _Member) -> _Member | None:
        """Who trains next in this member's seat."""
        other = self._idle()
        gone = self._is_done(member) or self._waits(member)
        if other is not None and (gone or self._is_behind(other, member)):
            self._stand_up(member)
            self._sit(other)
            return other
        return None if gone else member

    def _has_to_wait(self, member: _Member) -> bool:
        return self._waits(member) and self._idle() is None

    def _idle(self) -> _Member | None:
        """The member without a seat that is furthest behind and could train now."""
        if not self._unseated:
            return None
        free = (m for m in self._members if not (m.seated or self._is_done(m) or self._waits(m)))
        return min(free, key=lambda member: member.iteration, default=None)

    def _is_behind(self, other: _Member, member: _Member) -> bool:
        return member.decided == member.iteration > other.iteration

    def _waits(self, member: _Member) -> bool:
        at_boundary = self._ends_interval(member.iteration) and not self._is_done(member)
        return at_boundary and member.decided < member.iteration

    def _is_done(self, member: _Member) -> bool:
        return member.iteration >= self._plan.iterations

    def _ends_interval(self, iteration: int) -> bool:
        return iteration % self._plan.interval == 0 or iteration == self._plan.iterations

    def _sit(self, member: _Member) -> None:
        member.seated = True
        self._unseated -= 1

    def _stand_up(self, member: _Member) -> None:
        member.seated = False
        self._unseated += 1
