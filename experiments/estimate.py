"""How long a run will take and how much it will write, reckoned from what one member costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from experiments.curricula import needs_of
from experiments.curriculum_spec import ACCEL, PLR, SFL, Curriculum, RobustPLR
from experiments.loading import Loaded
from experiments.resources import Machine, Residency
from experiments.spec import Experiment

#: Arms that are measured; further ones are reckoned from the first of these.
MEASURED = 3
#: CPU seconds that a process takes to import Ray, RLlib and torch and to build an Algorithm.
START_UP = 7.0
# A report is journalled in part, and written as TensorBoard events.
_COPIES_OF_A_REPORT = 2
# Score, checkpoint, decisions and pruning of one member at one boundary, journalled.
_BYTES_AT_A_BOUNDARY = 2500


@dataclass(frozen=True)
class Cost:
    """One member's costs.

    Attributes:
        iteration, score, save: seconds for one training iteration, for the select suite, and
            for a checkpoint.
        steps, score_steps: env steps of one iteration, and of the select suite. Rollouts without
            gradient count as far as there were any in the iterations that were timed.
        checkpoint: bytes of one.
        report: bytes of one iteration's report, as JSON.
        memory: GiB of its process.
        timed: iterations that were timed.
        learnt: whether the learner had begun to learn when they were.
    """

    iteration: float
    score: float
    save: float
    steps: int
    score_steps: int
    checkpoint: int
    report: int
    memory: float
    timed: int
    learnt: bool

    def scaled(self, batch: float) -> Cost:
        """The costs with so many times the train batch."""
        return replace(self, iteration=self.iteration * batch, steps=round(self.steps * batch))


def measured_as(arms: Mapping[str, Experiment]) -> dict[str, str]:
    """By arm, the arm that is measured for it: itself, one that does the same work, or the first.

    Arms do the same work that differ neither in env nor algorithm, nor in a curriculum that takes
    rollouts, a value function's scores or players of its own (nor in suites: no arms do).
    """
    chosen: list[str] = []
    found: dict[str, str] = {}
    for name, arm in arms.items():
        like = next((other for other in chosen if _same_work(arms[other], arm)), None)
        if like is None and len(chosen) < MEASURED:
            chosen.append(name)
            like = name
        found[name] = like or chosen[0]
    return found


@dataclass(frozen=True)
class Work:
    """What the members of one arm have to do.

    Attributes:
        members: of all its populations.
        populations: one for each seed.
        iterations: of one member; None if nothing but a score ends it, or if that depends on
            costs which could not be measured.
        env_steps: of one member, those of the suite included; None where unknown.
        seconds: of one member that has its processes' CPUs for itself; None where unknown.
        at_once: members that the CPUs can carry on with at full speed.
    """

    members: int
    populations: int
    iterations: int | None
    env_steps: int | None
    seconds: float | None
    at_once: float


@dataclass(frozen=True)
class Plan:
    """All that a dry run has found out.

    Attributes:
        cost: of a member, by arm; empty if a member failed.
        failure: with what it failed, or None.
    """

    loaded: Loaded
    machine: Machine
    residency: Residency
    cost: Mapping[str, Cost]
    failure: str | None

    @property
    def work(self) -> dict[str, Work]:
        """By arm."""
        seats = self.residency.seats
        return {
            name: work_of(arm, self.cost.get(name), self._at_once(name), seats)
            for name, arm in self.loaded.arms.items()
        }

    @property
    def seconds(self) -> float | None:
        """Of the whole run; None where unknown."""
        total = self.residency.seats * max(self.residency.processes.values()) * START_UP
        total /= self.machine.cpus
        for name, work in self.work.items():
            if work.seconds is None:
                return None
            evaluation, cost = self.loaded.arms[name].evaluation, self.cost[name]
            tests = work.populations * cost.score * evaluation.test_levels / evaluation.levels
            total += (work.members * work.seconds + tests) / work.at_once
        return total

    @property
    def disk(self) -> int | None:
        """Bytes: checkpoints that are kept at once, journal, TensorBoard; None where unknown."""
        total = 0.0
        for name, work in self.work.items():
            if work.iterations is None or name not in self.cost:
                return None
            cost, interval = self.cost[name], self.loaded.arms[name].population.interval
            logged = work.iterations * cost.report * _COPIES_OF_A_REPORT
            logged += math.ceil(work.iterations / interval) * _BYTES_AT_A_BOUNDARY
            total += (2 * work.members + work.populations) * cost.checkpoint
            total += work.members * logged
        best = max(arm.checkpoint.keep_best for arm in self.loaded.arms.values())
        return round(total + best * max(cost.checkpoint for cost in self.cost.values()))

    @property
    def memory(self) -> float | None:
        """GiB that all seats take together; None where unknown."""
        if not self.cost:
            return None
        each = (self.cost[name].memory * self.residency.processes[name] for name in self.cost)
        return self.residency.seats * max(each)

    def _at_once(self, name: str) -> float:
        # While its env runners sample, a member's own process waits, and the other way round.
        busy = max(1, self.residency.processes[name] - 1)
        return min(self.residency.seats, max(1.0, self.machine.cpus / busy))


def work_of(experiment: Experiment, cost: Cost | None, at_once: float, seats: int) -> Work:
    """The work of an arm, as far as it is known beforehand; ``seats`` members are resident."""
    populations = len(experiment.seeds)
    members = experiment.population.size * populations
    iterations = _iterations(experiment, cost, min(members, seats) / at_once)
    if iterations is None or cost is None:
        return Work(members, populations, iterations, None, None, at_once)
    boundaries = math.ceil(iterations / experiment.population.interval)
    return Work(
        members=members,
        populations=populations,
        iterations=iterations,
        env_steps=iterations * cost.steps + boundaries * cost.score_steps,
        seconds=iterations * cost.iteration + boundaries * (cost.score + cost.save),
        at_once=at_once,
    )


def _iterations(experiment: Experiment, cost: Cost | None, sharing: float) -> int | None:
    """Iterations up to the first limit that is sure to be met."""
    stop, interval = experiment.stop, experiment.population.interval
    limits = [] if stop.iterations is None else [stop.iterations]
    if cost is not None and stop.env_steps is not None:
        limits.append(math.ceil(stop.env_steps / (cost.steps + cost.score_steps / interval)))
    if cost is not None and stop.minutes is not None:
        alone = cost.iteration + (cost.score + cost.save) / interval
        # Members that share CPUs see the clock run faster.
        limits.append(math.ceil(60 * stop.minutes / (alone * max(1.0, sharing))))
    unknown = cost is None and (stop.env_steps is not None or stop.minutes is not None)
    return None if unknown or not limits else min(limits)


def _same_work(one: Experiment, other: Experiment) -> bool:
    return (one.env, one.algorithm, _working(one)) == (other.env, other.algorithm, _working(other))


def _working(experiment: Experiment) -> Curriculum | None:
    """The curriculum, if it makes work."""
    makes_work = needs_of(experiment) & {"rollouts", "values", "generator"}
    return experiment.curriculum if makes_work else None


def rollouts_of(experiment: Experiment) -> str | None:
    """How much is rolled out without gradient for an arm's curriculum; None: nothing is."""
    if "rollouts" not in needs_of(experiment):
        return None
    given = experiment.curriculum
    if isinstance(given, SFL):
        every = f"every {given.every} iterations" if given.every > 1 else "in every iteration"
        return f"{given.candidates * given.rollouts} episodes {every}"
    assert isinstance(given, PLR | RobustPLR | ACCEL)
    said = []
    if not given.train_on_new and given.replay < 1:
        said.append(f"{1 / given.replay - 1:.2g} for each episode that is trained on")
    if given.edits:
        said.append(f"{given.parents * given.edits} edited levels in each iteration")
    much = ", and ".join(said) or "as much as the searched parameters ask for"
    return f"{much}, once its buffer is filled"
