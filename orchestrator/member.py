"""One member at work: trains, is scored, is saved, becomes a copy of another; knows no Tune."""

from __future__ import annotations

import functools
import importlib.metadata
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator import checkpoints, crash_points, env_faults, rllib, scoring
from orchestrator.distributions import EnvSpace, distribution_from_json
from orchestrator.episodes import Episode
from orchestrator.levels import Play
from orchestrator.stop import Stop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ray.rllib.algorithms.algorithm_config import AlgorithmConfig

State = Mapping[str, Any]


class NotSaved(RuntimeError):
    """The disk did not take a checkpoint; the member's last one stands."""


@dataclass(frozen=True)
class Blueprint:
    """What all members of an arm have in common.

    Attributes:
        algorithm: the configured AlgorithmConfig, hyperparameters that are searched left out.
        space: the env space.
        select: the suite that ranks members.
        aggregate, alpha: how its returns become a score.
        agents: whose returns count; None: all agents'.
        interval: iterations between boundaries.
        exact: whether everything is reseeded at boundaries (synchronous mode).
        stop: when a member has had enough.
    """

    algorithm: AlgorithmConfig
    space: EnvSpace
    select: Sequence[Play]
    aggregate: scoring.Aggregate
    alpha: float
    agents: tuple[str, ...] | None
    interval: int
    exact: bool
    stop: Stop


@dataclass(frozen=True)
class Report:
    """One iteration of a member.

    Attributes:
        revisions: per revision (episodes, mean return) of the episodes that ended in it.
        seconds: time spent in ``train``, ``score`` and ``save``.
        score, returns: on the select suite, at boundaries; else None.
        checkpoint, digest: what was saved at a boundary; else None.
        learner: the learner's own numbers.
    """

    iteration: int
    env_steps: int
    revision: int
    training_return: float | None
    episodes: int
    revisions: Mapping[int, tuple[int, float]]
    seconds: Mapping[str, float]
    learner: Mapping[str, float]
    score: float | None = None
    returns: tuple[float, ...] | None = None
    checkpoint: str | None = None
    digest: str | None = None


class Member:
    """Owns an RLlib Algorithm and stands where a state (`MemberState.plain`) says.

    Args:
        flight: the folder where its envs leave their last words; None: they leave none.
    """

    def __init__(
        self, blueprint: Blueprint, run_dir: Path, state: State, flight: Path | None = None
    ) -> None:
        self.blueprint = blueprint
        self.run_dir = run_dir
        self._flight = flight
        self._algorithm = rllib.build(
            blueprint.algorithm, state["hyperparameters"], *_key(state), state["iteration"]
        )
        if flight is not None:
            rllib.keep_words(self._algorithm, flight)
        self._load(state)

    def become(self, state: State) -> None:
        """Stand where ``state`` says, in this process and with the same env runners."""
        rllib.reconfigure(self._algorithm, self.blueprint.algorithm, state["hyperparameters"])
        crash_points.reached("become.rebuilt")
        self._load(state)

    def _load(self, state: State) -> None:
        self._who = {name: state[name] for name in ("arm", "seed", "member")}
        self.iteration = int(state["iteration"])
        self.env_steps = int(state["env_steps"])
        self.minutes = float(state["minutes"])
        self.hyperparameters = dict(state["hyperparameters"])
        self.parent = {"checkpoint": state["checkpoint"], "digest": state["digest"]}
        if state["checkpoint"] is not None:
            place = self.run_dir / state["checkpoint"]
            checkpoints.verify(place, state["digest"])
            rllib.restore(self._algorithm, place)
            crash_points.reached("become.restored")
        self.set_distribution(state["distribution"], state["revision"])
        rllib.reseed(self._algorithm, *_key(state), self.iteration)
        self._seeded_at = self.iteration

    def set_distribution(self, distribution: Mapping[str, Any], revision: int) -> None:
        """Push a distribution to every sub-env, from the next resets on."""
        self.distribution = distribution_from_json(self.blueprint.space, distribution)
        self.revision = int(revision)
        rllib.push_distribution(self._algorithm, self.distribution, self.revision)

    def iterate(self) -> Report:
        """Train one iteration; at a boundary also play the select suite and save."""
        blueprint = self.blueprint
        if blueprint.exact and self._at_boundary() and self._seeded_at != self.iteration:
            rllib.reseed(self._algorithm, *_key(self._who), self.iteration)
            self._seeded_at = self.iteration
        seconds: dict[str, float] = {}
        steps = rllib.env_steps(self._algorithm)
        with _timed(seconds, "train"):
            result = self._algorithm.train()
            episodes = rllib.drain_episodes(self._algorithm)
        self.iteration += 1
        self.env_steps += rllib.env_steps(self._algorithm) - steps
        report = self._report(episodes, seconds, rllib.learner_metrics(result))
        spent = blueprint.stop.spent(
            self.iteration, self.env_steps, self.minutes + sum(seconds.values()) / 60.0
        )
        if self._at_boundary() or spent:
            report = self._finish_interval(report, seconds)
        self.minutes += sum(seconds.values()) / 60.0
        return report

    def _at_boundary(self) -> bool:
        return self.iteration > 0 and self.iteration % self.blueprint.interval == 0

    def _finish_interval(self, report: Report, seconds: dict[str, float]) -> Report:
        crash_points.reached("train.done")
        with _timed(seconds, "score"):
            returns = self.play(self.blueprint.select)
            score = scoring.aggregate(returns, self.blueprint.aggregate, self.blueprint.alpha)
        crash_points.reached("score.done")
        with _timed(seconds, "save"):
            path, digest = self.save(score, sum(seconds.values()) / 60.0)
        return replace(
            report,
            env_steps=self.env_steps,
            score=score,
            returns=returns,
            checkpoint=path,
            digest=digest,
        )

    def play(self, suite: Sequence[Play]) -> tuple[float, ...]:
        """Returns on a suite, one per level, with the deterministic policy."""
        episodes, steps = rllib.play(self._algorithm, suite)
        self.env_steps += steps
        return tuple(episode.total(self.blueprint.agents) for episode in episodes)

    def save(self, score: float | None = None, minutes: float = 0.0) -> tuple[str, str]:
        """Write a checkpoint; returns its path (relative to the run) and digest.

        Args:
            minutes: what the iteration under way has taken so far.

        Raises:
            NotSaved: if the disk does not take it.
        """
        path = checkpoints.directory(**self._who, iteration=self.iteration)
        facts = {
            **self._who,
            "iteration": self.iteration,
            "env_steps": self.env_steps,
            "minutes": self.minutes + minutes,
            "hyperparameters": self.hyperparameters,
            "distribution": self.distribution.to_json(),
            "revision": self.revision,
            "parent": self.parent,
            "score": score,
            "weights": rllib.weights_digest(self._algorithm),
            "versions": versions(),
        }
        try:
            taken, digest = checkpoints.write(
                self.run_dir / path, lambda into: rllib.save(self._algorithm, into), facts
            )
        except OSError as error:
            raise NotSaved(f"{self.run_dir / path}: must be written, but {error}") from error
        path = path.with_name(taken.name)
        self.parent = {"checkpoint": str(path), "digest": digest}
        return str(path), digest

    def post_mortem(self) -> None:
        """After an iteration that failed: have an env's last words written, if one was in it."""
        if self._flight is not None:
            env_faults.post_mortem(self._flight)

    def close(self) -> None:
        """Stop the Algorithm and its env runners."""
        self._algorithm.stop()

    def _report(
        self,
        episodes: Sequence[Episode],
        seconds: Mapping[str, float],
        learner: Mapping[str, float],
    ) -> Report:
        returns: dict[int, list[float]] = {}
        for episode in episodes:
            total = episode.total(self.blueprint.agents)
            returns.setdefault(episode.revision, []).append(total)
        everything = [value for values in returns.values() for value in values]
        return Report(
            iteration=self.iteration,
            env_steps=self.env_steps,
            revision=self.revision,
            training_return=sum(everything) / len(everything) if everything else None,
            episodes=len(everything),
            revisions={
                revision: (len(values), sum(values) / len(values))
                for revision, values in sorted(returns.items())
            },
            seconds=seconds,
            learner=learner,
        )


@functools.cache
def versions() -> dict[str, str]:
    """Versions of what a checkpoint's bytes depend on."""
    return {name: importlib.metadata.version(name) for name in ("ray", "torch", "gymnasium")}


def _key(state: State) -> tuple[int, str, str, int]:
    return (int(state["seed"]), str(state["arm"]), "member", int(state["member"]))


@contextmanager
def _timed(
    seconds: dict[str, float], part: str, clock: Callable[[], float] = time.perf_counter
) -> Iterator[None]:
    begin = clock()
    try:
        yield
    finally:
        seconds[part] = seconds.get(part, 0.0) + clock() - begin
