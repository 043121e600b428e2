"""What a member asks of its Algorithm between and after iterations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.utils.metrics import ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME

from orchestrator.distributions import Distribution
from orchestrator.episodes import Episode, drain
from orchestrator.levels import Play
from orchestrator.rllib import level_scores
from orchestrator.rllib.acting import acting
from orchestrator.rllib.processes import each_learner, each_runner
from orchestrator.rllib.suite_play import step_through
from orchestrator.rllib.weights import push_weights


def push_distribution(
    algorithm: Algorithm, distribution: Distribution, revision: int
) -> tuple[int, ...]:
    """Give every sub-env of every training runner a distribution; returns what each now holds.

    Raises:
        RuntimeError: if a runner is gone or a sub-env does not hold the revision afterwards.
    """

    def push(runner: Any) -> list[int]:
        return list(runner.env.unwrapped.call("set_distribution", distribution, revision))

    held = [number for numbers in each_runner(algorithm, push) for number in numbers]
    if set(held) != {revision}:
        raise RuntimeError(f"every sub-env must hold revision {revision}, but they hold {held}")
    return tuple(held)


def drain_episodes(algorithm: Algorithm) -> list[Episode]:
    """Episodes that the training runners finished since the last call.

    With level scores, where they were asked for: RLlib's synchronous algorithms have learnt
    from all that was sampled when ``train()`` returns.
    """
    episodes = [episode for log in each_runner(algorithm, drain) for episode in log]
    if not level_scores.asked_for(algorithm.config):
        return episodes
    names = [episode.id for episode in episodes]
    answers = each_learner(algorithm, lambda learner: level_scores.take(learner, names))
    return level_scores.scored(episodes, answers)


def env_steps(algorithm: Algorithm) -> int:
    """Env steps that the training runners have sampled, over the Algorithm's lifetime."""
    key = (ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME)
    return int(algorithm.metrics.peek(key, default=0))


def play(algorithm: Algorithm, plays: Sequence[Play]) -> tuple[list[Episode], int]:
    """Play a suite on the evaluation runner with the deterministic policy.

    Returns:
        The episodes in the suite's order, and the env steps that it took, those of fillers
        (see `rounds`) included.
    """
    act = acting(algorithm.eval_env_runner)
    if act is None:
        return _sampled(algorithm, plays)
    push_weights(algorithm)
    episodes = step_through(algorithm.eval_env_runner, act, plays)
    by_place = {episode.play: episode for episode in episodes}
    return [by_place[play.index] for play in plays], sum(each.length for each in episodes)


def _sampled(algorithm: Algorithm, plays: Sequence[Play]) -> tuple[list[Episode], int]:
    """As `play`, by RLlib's own sampling, which takes several times as long."""
    finished: dict[int | None, Episode] = {}
    steps = 0
    for played in rounds(algorithm, plays, explore=False):
        finished |= {episode.play: episode for episode in played.finished}
        steps += played.env_steps
    return [finished[play.index] for play in plays], steps


@dataclass(frozen=True)
class Round:
    """What one call of the evaluation runner's ``sample`` brought.

    Attributes:
        chunks: RLlib's chunks of episodes, those of fillers included.
        finished: the entries that ended in it.
        env_steps: that it took.
    """

    chunks: Sequence[Any]
    finished: Sequence[Episode]
    env_steps: int


def rounds(algorithm: Algorithm, plays: Sequence[Play], *, explore: bool) -> Iterator[Round]:
    """Play each of these once on the evaluation runner.

    Slot i plays entries i, i+n, ...; a slot that is done repeats its last entry, uncounted,
    until all are.
    """
    if not plays:
        return
    runner = algorithm.eval_env_runner
    push_weights(algorithm)
    _freeze_filters(runner)
    envs = runner.env.unwrapped.envs
    for slot, env in enumerate(envs):
        env.get_wrapper_attr("schedule")(plays[slot :: len(envs)] or plays[-1:])
    drain(runner)
    runner._needs_initial_reset = True
    missing = {play.index for play in plays}
    while missing:
        chunks = runner.sample(num_timesteps=32 * len(envs), explore=explore)
        steps = sum(chunk.env_steps() for chunk in chunks)
        finished = [episode for episode in drain(runner) if episode.play in missing]
        missing -= {episode.play for episode in finished}
        yield Round(chunks, finished, steps)
    runner.get_metrics()  # RLlib keeps the episodes for its metrics until this is called.


def _freeze_filters(runner: Any) -> None:
    """Have observation filters keep what training taught them.

    Else what a level is played with would depend on the levels that were played before.
    """
    for piece in runner._env_to_module.connectors:
        if hasattr(piece, "_update_stats"):
            piece._update_stats = False


def learner_metrics(result: Mapping[str, Any]) -> dict[str, float]:
    """Numbers that the learner reported for each module, as ``learner/<module>/<name>``."""
    found: dict[str, float] = {}
    for module, metrics in result.get("learners", {}).items():
        if isinstance(metrics, Mapping):
            for name, value in metrics.items():
                if isinstance(value, int | float | np.number):
                    found[f"learner/{module}/{name}"] = float(value)
    return found
