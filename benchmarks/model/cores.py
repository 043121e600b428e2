"""What simulated work is done on: the cores of a machine, shared, and one thread's queue."""

from __future__ import annotations

import heapq
import itertools
from collections import deque

from benchmarks.model.clock import Clock, Resume, Step

__all__ = ["Cores", "Thread"]


class Cores:
    """The cores of one machine, on which all jobs advance alike, each on one core at the most.

    Processor sharing, as an operating system does it with processes of one thread each. Where
    there are more of them than cores, all take ``crowding`` times as long: they displace each
    other from caches.
    """

    def __init__(self, clock: Clock, count: float, crowding: float = 1.0) -> None:
        self._clock = clock
        self._count = count
        self._crowding = crowding
        # What a job that had been here from the beginning would have got of a core, in seconds.
        self._served = 0.0
        self._served_at = 0.0
        # (served when it ends, order, what to do then)
        self._jobs: list[tuple[float, int, Resume]] = []
        self._order = itertools.count()
        self._plan = 0

    def work(self, seconds: float) -> Step:
        """A step that takes so many seconds of a core, longer where cores are shared."""

        def begin(resume: Resume) -> None:
            self._serve()
            job = (self._served + seconds, next(self._order), resume)
            heapq.heappush(self._jobs, job)
            self._plan_next()

        return begin

    @property
    def _rate(self) -> float:
        if not self._jobs:
            return 0.0
        if len(self._jobs) <= self._count:
            return 1.0
        return self._count / len(self._jobs) / self._crowding

    def _serve(self) -> None:
        self._served += (self._clock.now - self._served_at) * self._rate
        self._served_at = self._clock.now

    def _plan_next(self) -> None:
        """Plan the end of the job that ends first; what was planned before is void."""
        self._plan += 1
        plan, left = self._plan, max(0.0, self._jobs[0][0] - self._served)
        self._clock.after(left / self._rate, lambda: self._end_first(plan))

    def _end_first(self, plan: int) -> None:
        if plan != self._plan:
            return
        self._serve()
        _, _, resume = heapq.heappop(self._jobs)
        if self._jobs:
            self._plan_next()
        resume()


class Thread:
    """Does one piece of work after the other, in the order they come, on some machine's cores."""

    def __init__(self, cores: Cores) -> None:
        self._cores = cores
        self._queue: deque[tuple[float, Resume]] = deque()
        self._busy = False

    def work(self, seconds: float) -> Step:
        """A step that takes its turn, and then so many seconds of a core."""

        def begin(resume: Resume) -> None:
            self._queue.append((seconds, resume))
            if not self._busy:
                self._next()

        return begin

    def _next(self) -> None:
        self._busy = bool(self._queue)
        if self._busy:
            seconds, resume = self._queue.popleft()
            self._cores.work(seconds)(lambda: self._ended(resume))

    def _ended(self, resume: Resume) -> None:
        self._next()
        resume()
