"""How efficient populations are that do not fit this machine, by what one may choose."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.curricula.tables import Line
from benchmarks.model.costs import Costs, Timing, mortal, slowness
from benchmarks.model.simulated import Cluster, Outcome, Plan, simulate

__all__ = [
    "LONG", "MODES", "SLOW_ITERATIONS", "SLOW_MEMBERS", "Case", "Point", "all_points",
    "efficiency", "lengthened", "straggling",
]  # fmt: skip

LONG = 10.0
"""Seconds of an iteration of a larger agent than the one that costs were measured of."""
MODES = ("sync", "async")
SLOW_MEMBERS, SLOW_ITERATIONS = "slow members", "slow iterations"
"""Stragglers that always are, and such as anybody may be for once."""

_CORES = 16
# Iterations of one member that a simulation goes on for, on average.
_HORIZON = 160
# A point is the mean of so many simulations, or of more: of so many members in all of them.
_SIMULATIONS = 3
_MEMBERS = 128
_NEVER = 10**9


@dataclass(frozen=True)
class Case:
    """A population and what it meets with.

    Attributes:
        cores: of all machines, which have `_CORES` each; None: one for each member.
        slow_members: deviation of the logarithm of what members take, always.
        slow_iterations: the same of what single iterations take.
        failures: of each member in an hour of its work.
    """

    members: int
    mode: str
    interval: int = 4
    cores: int | None = None
    slow_members: float = 0.0
    slow_iterations: float = 0.0
    failures: float = 0.0

    @property
    def all_cores(self) -> int:
        """How many cores there are."""
        return self.members if self.cores is None else self.cores


@dataclass(frozen=True)
class Point:
    """One point of a curve.

    Attributes:
        figure, panel, line: where it is drawn.
        x, y: what of; both are named by the figure.
    """

    figure: str
    panel: str
    line: str
    x: float
    y: float

    @property
    def cells(self) -> Line:
        """The point as a line of a file."""
        where = {"figure": self.figure, "panel": self.panel, "line": self.line}
        return {**where, "x": f"{self.x:g}", "y": f"{self.y:.4g}"}


def lengthened(costs: Costs, seconds: float = LONG) -> Costs:
    """The costs of an agent whose iterations take so long; scoring it takes longer alike."""
    factor = seconds / costs.train.mean
    score = replace(costs.score, mean=costs.score.mean * factor)
    return replace(costs, train=replace(costs.train, mean=seconds), score=score)


def _outcomes(case: Case, costs: Costs) -> Iterator[Outcome]:
    """Simulations of a case, cut off while all members are still training.

    Members that are more than cores take turns, as they do by default.
    """
    machines = -(-case.all_cores // _CORES)
    cluster = Cluster(machines, min(_CORES, case.all_cores), mortal(case.failures))
    met = replace(
        costs,
        train=Timing(costs.train.mean, case.slow_iterations),
        score=Timing(costs.score.mean),
        save=Timing(costs.save.mean),
    )
    sharing = max(1.0, case.members / case.all_cores)
    until = met.launch + sharing * (met.start + _HORIZON * met.train.mean)
    for seed in range(max(_SIMULATIONS, _MEMBERS // case.members)):
        # Stragglers are the same ones in both modes.
        slow = slowness(case.members, case.slow_members, np.random.default_rng(seed))
        plan = Plan(slow, case.mode, case.interval, iterations=_NEVER, seats=case.all_cores)
        yield simulate(plan, met, cluster, seed, until)


def efficiency(case: Case, costs: Costs) -> float:
    """Share of the cores' time that goes into training that counts."""
    return float(np.mean([each.efficiency(case.all_cores) for each in _outcomes(case, costs)]))


def all_points(costs: Costs) -> Iterator[Point]:
    """Those of all figures."""
    yield from by_size(costs)
    yield from by_interval(costs)
    yield from by_failures(costs)
    yield from by_members_a_core(costs)


def by_size(costs: Costs) -> Iterator[Point]:
    """Efficiency by population size, a core for each member."""
    for length, those in _lengths(costs).items():
        for kind in (SLOW_MEMBERS, SLOW_ITERATIONS):
            for spread in (0.0, 0.1, 0.3):
                for mode in MODES:
                    for members in (4, 8, 16, 32, 64, 128, 256, 512):
                        case = straggling(Case(members, mode), kind, spread)
                        panel, line = f"{length}, {kind}", f"{mode}, spread {spread:g}"
                        yield Point("size", panel, line, members, efficiency(case, those))


def by_interval(costs: Costs) -> Iterator[Point]:
    """Efficiency by interval, of 64 members with a core each."""
    for length, those in _lengths(costs).items():
        for kind in (SLOW_MEMBERS, SLOW_ITERATIONS):
            for spread in (0.0, 0.3):
                for mode in MODES:
                    for interval in (1, 2, 4, 8, 16, 32):
                        case = straggling(Case(64, mode, interval), kind, spread)
                        panel, line = f"{length}, {kind}", f"{mode}, spread {spread:g}"
                        yield Point("interval", panel, line, interval, efficiency(case, those))


def by_failures(costs: Costs) -> Iterator[Point]:
    """Efficiency by how often processes die, with a core for each member."""
    those = lengthened(costs)
    for interval in (4, 16):
        for members in (8, 64, 256):
            for mode in MODES:
                for failures in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0):
                    case = Case(members, mode, interval, failures=failures)
                    panel, line = f"interval {interval}", f"{mode}, {members} members"
                    yield Point("failures", panel, line, failures, efficiency(case, those))


def by_members_a_core(costs: Costs) -> Iterator[Point]:
    """What 64 cores do for populations that are smaller, and larger."""
    those = lengthened(costs)
    for kind in (SLOW_MEMBERS, SLOW_ITERATIONS):
        for mode in MODES:
            for members in (16, 32, 64, 128, 256):
                case = straggling(Case(members, mode, cores=64), kind, 0.3)
                found = [*_outcomes(case, those)]
                shares = [each.efficiency(case.all_cores) for each in found]
                paces = [
                    3600 * np.mean(each.decided) / (each.trained - each.begun) for each in found
                ]
                line = f"{mode}, {kind}"
                yield Point("cores", "efficiency", line, members / 64, float(np.mean(shares)))
                yield Point(
                    "cores", "boundaries an hour", line, members / 64, float(np.mean(paces))
                )


def _lengths(costs: Costs) -> dict[str, Costs]:
    return {
        f"iterations of {costs.train.mean:.2g} s": costs,
        f"iterations of {LONG:g} s": lengthened(costs),
    }


def straggling(case: Case, kind: str, spread: float) -> Case:
    """The case with stragglers of a kind."""
    if kind == SLOW_MEMBERS:
        return replace(case, slow_members=spread)
    return replace(case, slow_iterations=spread)
