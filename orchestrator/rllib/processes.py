"""An Algorithm's processes, env runners and learners: calling into all of them, seeding them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
import torch
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.callbacks.callbacks import RLlibCallback

from orchestrator import seeding
from orchestrator.episodes import EpisodeLog, drain
from orchestrator.rllib import level_scores

T = TypeVar("T")


def each_runner(algorithm: Algorithm, function: Callable[[Any], T]) -> list[T]:
    """Call ``function`` with each training runner in its own process; an answer from every one.

    Raises:
        RuntimeError: if a runner did not answer. RLlib drops such answers silently.
    """
    group = algorithm.env_runner_group
    remote = group.num_remote_env_runners()
    answers: list[T] = group.foreach_env_runner(
        function, local_env_runner=remote == 0, healthy_only=False
    )
    expected = remote or 1
    if len(answers) != expected:
        raise RuntimeError(f"{expected} env runners must answer, but {len(answers)} did")
    return answers


def each_learner(algorithm: Algorithm, function: Callable[[Any], T]) -> list[T]:
    """Call ``function`` with each learner in its own process."""
    answers = algorithm.learner_group.foreach_learner(function)
    return [answer.get() for answer in answers]


def reseed(algorithm: Algorithm, *key: str | int) -> None:
    """Seed everything that draws in this Algorithm from ``key``, and reset its envs.

    Sub-env i of worker w starts from ``seed(key, worker w) + i``; episodes under way are cut
    off. After it, two Algorithms with equal state do the same.
    """

    def reseed_runner(runner: Any) -> None:
        worker = runner.worker_index or 0
        runner._seed = seeding.seed(*key, "worker", worker)
        runner._needs_initial_reset = True
        seed_process(seeding.seed(*key, "sampling", worker))
        drain(runner)

    def reseed_learner(learner: Any) -> None:
        seed_process(seeding.seed(*key, "learning"))
        level_scores.forget(learner)

    each_runner(algorithm, reseed_runner)
    each_learner(algorithm, reseed_learner)
    # Last, because a local runner and a local learner share this process.
    seed_process(seeding.seed(*key, "process"))
    buffer: Any = getattr(algorithm, "local_replay_buffer", None)
    if hasattr(buffer, "rng"):
        buffer.rng = seeding.generator(*key, "replay")


class SeedOnce(RLlibCallback):  # type: ignore[misc]
    """Lets each of a runner's seeds start its envs once.

    With ``batch_mode="complete_episodes"`` RLlib resets all envs at every sample, and would
    seed them alike every time: the same levels, again and again.
    """

    def on_sample_end(self, *, env_runner: Any, **kwargs: Any) -> None:
        super().on_sample_end(env_runner=env_runner, **kwargs)
        env_runner._seed = None


class RunnerCallbacks(SeedOnce, EpisodeLog):
    """Both as one object, for RLlib calls each of its callbacks at every env step."""


def seed_process(number: int) -> None:
    """Seed the global generators of this process, from which RLlib and torch draw."""
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002
    torch.manual_seed(number)


@contextmanager
def seeded(number: int) -> Iterator[None]:
    """While this lasts, draw from ``number``; afterwards, as if nothing had been drawn."""
    python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        seed_process(number)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(of_numpy)  # noqa: NPY002
