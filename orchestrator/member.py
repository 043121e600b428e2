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
from orchestrator.course import Course
from orchestrator.curricula import Curriculum, Move, Outcome, Seen
from orchestrator.distributions import Distribution, EnvSpace, distribution_from_json
from orchestrator.episodes import Episode
from orchestrator.levels import Play
from orchestrator.own_course import (
    load_course,
    outcome_of,
    own_course,
    save_course,
    taken_over,
)
from orchestrator.report import Report, played
from orchestrator.sketch import journalled
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
        curriculum: what each member runs by itself; None where the driver runs it for all.
        success_above: return from which on an episode counts as solved, where the env does not
            say.
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
    curriculum: Curriculum | None = None
    success_above: float | None = None


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
        saver = None
        if state["checkpoint"] is not None:
            place = self.run_dir / state["checkpoint"]
            saver = checkpoints.verify(place, state["digest"])
            rllib.restore(self._algorithm, place)
            crash_points.reached("become.restored")
        self._course = self._own_course(saver, int(state["revision"]))
        if self._course is None:
            self.set_distribution(state["distribution"], state["revision"])
        else:
            self._push(self._course.distribution, self._course.revision)
        rllib.reseed(self._algorithm, *_key(state), self.iteration)
        self._seeded_at = self.iteration

    def _own_course(self, saver: Mapping[str, Any] | None, revision: int) -> Course | None:
        """Begun, or taken from the checkpoint with this manifest: after an exploit a donor's."""
        rule = self.blueprint.curriculum
        if rule is None:
            return None
        key = (*_key(self._who), "curriculum")
        course = own_course(rule, self.blueprint.space, self.hyperparameters, key)
        if saver is not None:
            course = load_course(course, self.run_dir / self.parent["checkpoint"])
            if _key(saver) != _key(self._who):
                course = taken_over(course, self.iteration)
        # A donor's counts its own changes.
        return replace(course, revision=revision)

    def set_distribution(self, distribution: Mapping[str, Any], revision: int) -> None:
        """Push a distribution to every sub-env, from the next resets on."""
        self._push(distribution_from_json(self.blueprint.space, distribution), int(revision))

    def _push(self, distribution: Distribution, revision: int) -> None:
        self.distribution = distribution
        self.revision = self._pushed = revision
        rllib.push_distribution(self._algorithm, distribution, revision)

    def iterate(self) -> Report:
        """Train one iteration; at a boundary also play the select suite and save."""
        blueprint = self.blueprint
        if self._pushed != self.revision:
            # The revision that the last iteration's result told of: it is journalled by now.
            self._push(self.distribution, self.revision)
        if blueprint.exact and self._at_boundary() and self._seeded_at != self.iteration:
            rllib.reseed(self._algorithm, *_key(self._who), self.iteration)
            self._seeded_at = self.iteration
        seconds: dict[str, float] = {}
        outcomes = self._probe(seconds)
        steps = rllib.env_steps(self._algorithm)
        with _timed(seconds, "train"):
            result = self._algorithm.train()
            episodes = rllib.drain_episodes(self._algorithm)
        self.iteration += 1
        self.env_steps += rllib.env_steps(self._algorithm) - steps
        trained = self._outcomes(episodes, trained=True)
        spent = blueprint.stop.spent(
            self.iteration, self.env_steps, self.minutes + sum(seconds.values()) / 60.0
        )
        ends = self._at_boundary() or spent
        score, returns = self._score(seconds) if ends else (None, None)
        move = self._move([*outcomes, *trained], score)
        path, digest = self._finish_interval(score, seconds) if ends else (None, None)
        self.minutes += sum(seconds.values()) / 60.0
        return Report(
            iteration=self.iteration,
            env_steps=self.env_steps,
            revision=self.revision,
            seconds=seconds,
            learner=rllib.learner_metrics(result),
            score=score,
            returns=returns,
            checkpoint=path,
            digest=digest,
            move=move,
            outlook=None if self._course is None else self._course.outlook,
            **played(trained),
        )

    def _probe(self, seconds: dict[str, float]) -> list[Outcome]:
        """Roll out the levels that the member's own curriculum asks for, without gradient."""
        levels = () if self._course is None else self._course.probes(self.iteration)
        if not levels:
            return []
        with _timed(seconds, "probe"):
            key = (*_key(self._who), "probe", self.iteration)
            episodes, steps = rllib.probe(self._algorithm, levels, *key)
        self.env_steps += steps
        return self._outcomes(episodes, trained=False)

    def _outcomes(self, episodes: Sequence[Episode], *, trained: bool) -> list[Outcome]:
        counted, solved = self.blueprint.agents, self.blueprint.success_above
        return [outcome_of(each, counted, solved, trained=trained) for each in episodes]

    def _score(self, seconds: dict[str, float]) -> tuple[float, tuple[float, ...]]:
        crash_points.reached("train.done")
        with _timed(seconds, "score"):
            returns = self.play(self.blueprint.select)
            score = scoring.aggregate(returns, self.blueprint.aggregate, self.blueprint.alpha)
        crash_points.reached("score.done")
        return score, returns

    def _move(self, outcomes: Sequence[Outcome], score: float | None) -> Move | None:
        """Let the member's own curriculum take in what was seen; a new revision if it moves."""
        if self._course is None:
            return None
        seen = Seen.of(
            outcomes,
            self.revision,
            iteration=self.iteration,
            env_steps=self.env_steps,
            score=score,
        )
        self._course, move = self._course.after(seen)
        self.distribution, self.revision = self._course.distribution, self._course.revision
        return move

    def _at_boundary(self) -> bool:
        return self.iteration > 0 and self.iteration % self.blueprint.interval == 0

    def _finish_interval(self, score: float | None, seconds: dict[str, float]) -> tuple[str, str]:
        with _timed(seconds, "save"):
            return self.save(score, sum(seconds.values()) / 60.0)

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
            "distribution": journalled(self.distribution).to_json(),
            "revision": self.revision,
            "parent": self.parent,
            "score": score,
            "weights": rllib.weights_digest(self._algorithm),
            "versions": versions(),
        }
        try:
            taken, digest = checkpoints.write(self.run_dir / path, self._save_into, facts)
        except OSError as error:
            raise NotSaved(f"{self.run_dir / path}: must be written, but {error}") from error
        path = path.with_name(taken.name)
        self.parent = {"checkpoint": str(path), "digest": digest}
        return str(path), digest

    def _save_into(self, directory: Path) -> None:
        rllib.save(self._algorithm, directory)
        if self._course is not None:
            save_course(self._course, directory)

    def post_mortem(self) -> None:
        """After an iteration that failed: have an env's last words written, if one was in it."""
        if self._flight is not None:
            env_faults.post_mortem(self._flight)

    def close(self) -> None:
        """Stop the Algorithm and its env runners."""
        self._algorithm.stop()


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
