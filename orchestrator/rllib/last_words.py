"""Last words of the envs of an Algorithm, in whatever process they are."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ray.rllib.algorithms.algorithm import Algorithm

from orchestrator import env_faults, episodes
from orchestrator.flaws import flaw_of
from orchestrator.rllib.processes import each_runner


def keep_words(algorithm: Algorithm, folder: Path) -> None:
    """Have the envs of every runner, of both groups, leave their last words in ``folder``.

    Not by their config: that becomes part of every checkpoint, which is to be moved.
    """

    def keep(runner: Any) -> None:
        episodes.keep_words(runner, folder)
        runner.env.unwrapped.call("keep_words", folder)
        runner.sample = _attended(runner, runner.sample, folder)

    each_runner(algorithm, keep)
    if algorithm.eval_env_runner is not None:
        keep(algorithm.eval_env_runner)


def _attended(runner: Any, sample: Callable[..., Any], folder: Path) -> Callable[..., Any]:
    """A runner's ``sample`` that looks at the episodes under way where it fails.

    Shown something that is no number, it is the policy that raises, before the episode's chunk
    is looked at. A remote runner whose ``sample`` raises ends its process, so there is no
    asking it later.
    """

    @functools.wraps(sample)
    def attended(*args: Any, **kwargs: Any) -> Any:
        try:
            return sample(*args, **kwargs)
        except Exception:
            # What is found out about it must not stand in front of it.
            with contextlib.suppress(Exception):
                _look_at(runner._ongoing_episodes, folder)
            raise

    return attended


def _look_at(under_way: Iterable[Any], folder: Path) -> None:
    for episode in under_way:
        flaw = None if episode is None else flaw_of(episode)
        if flaw is not None:
            env_faults.speak(folder, episodes.words_about(episode, flaw))
            return
