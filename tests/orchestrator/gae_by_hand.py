"""Level scores by the textbook, from chunks of episodes and the value function alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.env.multi_agent_episode import MultiAgentEpisode

from orchestrator.episodes import Episode


@dataclass(frozen=True)
class Track:
    """What one agent went through in one chunk of an episode, or in all of it.

    Attributes:
        observations: one more than there are rewards.
        values: V of the observations.
        terminated: whether the episode's true end is the end of this.
    """

    episode: str
    agent: str
    observations: Any
    values: Any
    rewards: Any
    terminated: bool


def tracks_of(algorithm: Algorithm, chunks: Iterable[Any]) -> list[Track]:
    """What RLlib's chunks hold; to be called before its learner lengthens them."""
    learner = algorithm.learner_group._learner
    found = []
    for chunk in chunks:
        several = isinstance(chunk, MultiAgentEpisode)
        parts = dict(chunk.agent_episodes) if several else {"": chunk}
        for agent, part in parts.items():
            observations = np.array(part.get_observations())
            module = learner.module["shared" if several else "default_policy"]
            with torch.no_grad():
                values = module.compute_values({"obs": torch.tensor(observations)}).numpy()
            rewards = np.array(part.get_rewards())
            found.append(
                Track(chunk.id_, agent, observations, values, rewards, bool(part.is_terminated))
            )
    return found


def joined(tracks: Iterable[Track]) -> list[Track]:
    """One track for each agent of each episode."""
    parts = defaultdict(list)
    for track in tracks:
        parts[track.episode, track.agent].append(track)
    return [
        Track(
            episode,
            agent,
            np.concatenate([*(part.observations[:-1] for part in own), own[-1].observations[-1:]]),
            np.concatenate([*(part.values[:-1] for part in own), own[-1].values[-1:]]),
            np.concatenate([part.rewards for part in own]),
            own[-1].terminated,
        )
        for (episode, agent), own in parts.items()
    ]


def gae(track: Track, gamma: float, lambda_: float) -> Any:
    """Sum over k of (gamma * lambda)^k * delta of step t + k, for each step t."""
    following = track.values[1:].astype(float)
    if track.terminated:
        following[-1] = 0.0
    deltas = track.rewards + gamma * following - track.values[:-1]
    steps = len(deltas)
    return np.array(
        [
            sum((gamma * lambda_) ** (s - t) * deltas[s] for s in range(t, steps))
            for t in range(steps)
        ]
    )


def assert_scored(
    algorithm: Algorithm, episodes: Sequence[Episode], tracks: Sequence[Track]
) -> None:
    """The episodes' scores are those of the tracks of theirs, over the steps of all agents."""
    gamma, lambda_ = algorithm.config.gamma, algorithm.config.lambda_
    assert episodes
    for episode in episodes:
        own = [track for track in tracks if track.episode == episode.id and len(track.rewards)]
        # RLlib drops the step of an agent that waits for its turn where an episode is cut.
        assert sum(len(track.rewards) for track in own) > 0
        advantages = np.concatenate([gae(track, gamma, lambda_) for track in own])
        values = np.concatenate([track.values[:-1] for track in own])
        assert episode.scores == pytest.approx(
            {
                "l1": np.abs(advantages).mean(),
                "pvl": np.maximum(advantages, 0.0).mean(),
                "value": values.mean(),
            },
            rel=1e-4,
            abs=1e-5,
        )
