"""A population of the real rules whose members are plain values: no Ray, no processes, no disk.

`Population` decides exactly as it does in a run. Here its members are trained in turn by a
function; what they have learnt is an immutable value, so that a checkpoint is that value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from orchestrator import records, seeding
from orchestrator.distributions import Distribution
from orchestrator.initial import draw_random
from orchestrator.member_state import Rules
from orchestrator.population import Population
from orchestrator.suites import SELECT

__all__ = ["Task", "lived"]

T = TypeVar("T")


class Task(Protocol[T]):
    """What the members of a population do; `T` is what one of them has learnt."""

    @property
    def name(self) -> str:
        """Names the random streams."""
        ...

    def beginner(self) -> T:
        """Before any training."""
        ...

    def trained(self, learnt: T, levels: Distribution, rng: np.random.Generator) -> T:
        """After one more iteration on levels of this distribution."""
        ...

    def returns(self, learnt: T, rng: np.random.Generator) -> Sequence[float]:
        """One return for each level of the select suite."""
        ...


def lived(rules: Rules, task: Task[T], seed: int) -> list[list[T]]:
    """What each member had learnt after each iteration, its beginning first: ``[iteration][m]``.

    ``rules.stop`` must be a number of iterations.
    """
    population = Population(task.name, seed, rules)
    beginnings = draw_random(
        rules.size, rules.space, rules.search, rules.curriculum, seed, task.name
    )
    _take(population, population.first(beginnings, "random"))
    learnt = [task.beginner() for _ in range(rules.size)]
    history, checkpoints = [list(learnt)], dict[str, T]()
    while live := population.live():
        for member in live:
            state = population.members[member]
            at: dict[str, Any] = {**state.who(), "iteration": state.iteration + 1}
            assert isinstance(state.distribution, Distribution)
            rng = seeding.generator(seed, task.name, "train", member, at["iteration"])
            learnt[member] = task.trained(learnt[member], state.distribution, rng)
            _take(population, [_result(at)])
            if at["iteration"] % rules.interval == 0:
                returns = tuple(task.returns(learnt[member], rng))
                path = f"m{member}/{at['iteration']}"
                checkpoints[path] = learnt[member]
                _take(population, _saved(at, path, returns))
        decided = population.decide(population.due())
        _take(population, decided)
        for record in decided:
            if isinstance(record, records.Exploit):
                learnt[record.member] = checkpoints[record.checkpoint]
        _take(population, population.moves())
        history.append(list(learnt))
    return history


def _take(population: Population, entry: Sequence[records.Record]) -> None:
    for record in entry:
        population.apply(record)


def _result(at: dict[str, Any]) -> records.Result:
    return records.Result(
        **at, training_return=None, env_steps=at["iteration"], revisions={}, seconds={}
    )


def _saved(at: dict[str, Any], path: str, returns: tuple[float, ...]) -> list[records.Record]:
    score = sum(returns) / len(returns)
    return [
        records.Score(**at, score=score, suite=SELECT, returns=returns),
        records.CheckpointSaved(**at, path=path, digest=path, score=score),
    ]
