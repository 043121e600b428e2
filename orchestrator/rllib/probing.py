"""Rollouts without gradient: episodes on levels of one's choice that nobody learns from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from ray.rllib.algorithms.algorithm import Algorithm

from orchestrator import seeding
from orchestrator.episodes import Episode
from orchestrator.levels import Level, Play
from orchestrator.rllib import level_scores
from orchestrator.rllib.processes import each_learner, seeded
from orchestrator.rllib.running import rounds


def probe(
    algorithm: Algorithm, levels: Sequence[Level], *key: str | int
) -> tuple[list[Episode], int]:
    """Play each level once as in training, exploring, but on the evaluation runner.

    ``key`` decides the episodes' seeds and the policy's actions. Training goes on as if there
    had been no probe: its envs, its metrics and this process's generators are left as they were.

    Returns:
        The episodes in the order of the levels, with level scores where the Algorithm has them,
        and the env steps that it took, fillers included.
    """
    plays = [
        Play(index, level, seeding.seed(*key, "probe", index)) for index, level in enumerate(levels)
    ]
    finished: dict[int | None, Episode] = {}
    chunks: dict[str, list[Any]] = defaultdict(list)
    steps = 0
    number = seeding.seed(*key, "probe")
    with seeded(number):
        for played in rounds(algorithm, plays, explore=True):
            finished |= {episode.play: episode for episode in played.finished}
            steps += played.env_steps
            for chunk in played.chunks:
                chunks[chunk.id_].append(chunk)
    episodes = [finished[play.index] for play in plays]
    if level_scores.asked_for(algorithm.config) and episodes:
        episodes = _scored(algorithm, episodes, chunks, number)
    return episodes, steps


def _scored(
    algorithm: Algorithm,
    episodes: Sequence[Episode],
    chunks: Mapping[str, Sequence[Any]],
    number: int,
) -> list[Episode]:
    """The episodes with their level scores, GAE going over each as a whole."""
    whole = [_joined(chunks[episode.id]) for episode in episodes]
    names = [episode.id for episode in episodes]

    def score(learner: Any) -> dict[str, level_scores.Sums]:
        # The pipeline alone, without metrics: it makes a batch, and nothing is updated.
        with seeded(number), torch.no_grad():
            learner._learner_connector(
                rl_module=learner.module, batch={}, episodes=whole, shared_data={}
            )
        return level_scores.take(learner, names)

    # Every learner has the same weights, so that each of them finds the same.
    return level_scores.scored(episodes, each_learner(algorithm, score)[:1])


def _joined(chunks: Sequence[Any]) -> Any:
    """One episode of its chunks; the first becomes it."""
    first, *rest = chunks
    for chunk in rest:
        first.concat_episode(chunk)
    return first
