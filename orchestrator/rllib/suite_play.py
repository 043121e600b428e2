"""Playing a suite by stepping its envs one by one, each until its share of the suite is over."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector.utils import concatenate, create_empty_array

from orchestrator.episodes import Episode, refuse, words_on
from orchestrator.flaws import flaw_of_step
from orchestrator.levels import LevelInfo, Play
from orchestrator.rllib.acting import Act

Slot = Generator[Any, Any, list[Episode]]
"""An env at play: yields observations, is sent actions, returns its episodes."""


def step_through(runner: Any, act: Act, plays: Sequence[Play]) -> list[Episode]:
    """Have ``act`` play each of these once in the runner's envs, slot i entries i, i+n, ...

    Nobody is stepped who is done, and the policy is asked about all others at once.

    Raises:
        NotFinite: if a reward or an observation is not finite.
    """
    envs = runner.env.unwrapped.envs
    space = runner.env.single_observation_space
    slots = [_slot(runner, env, plays[n :: len(envs)]) for n, env in enumerate(envs[: len(plays)])]
    shown = {slot: next(slot) for slot in slots}
    episodes: list[Episode] = []
    while shown:
        # Into an array of the space's type, as a vector env puts them.
        batch = concatenate(space, [*shown.values()], create_empty_array(space, n=len(shown)))
        for slot, action in zip([*shown], act(batch), strict=True):
            try:
                shown[slot] = slot.send(action)
            except StopIteration as over:
                del shown[slot]
                episodes += over.value
    return episodes


def _slot(runner: Any, env: gymnasium.Env[Any, Any], share: Sequence[Play]) -> Slot:
    env.get_wrapper_attr("schedule")(share)
    episodes = []
    for _ in share:
        observation, info = env.reset()
        level: LevelInfo = info["level"]
        total, length, over = 0.0, 0, False
        _check(runner, level, length, 0.0, observation)
        while not over:
            action = yield observation
            observation, reward, terminated, truncated, info = env.step(action)
            total += float(reward)
            length += 1
            over = terminated or truncated
            _check(runner, level, length, reward, observation)
        episode = Episode(
            level=level.plain(),
            revision=level.revision,
            play=level.play,
            returns={"": total},
            length=length,
            success=bool(info["is_success"]) if "is_success" in info else None,
        )
        episodes.append(episode)
    return episodes


def _check(runner: Any, level: LevelInfo, step: int, reward: Any, observation: Any) -> None:
    if math.isfinite(reward) and np.isfinite(observation).all():
        return
    flaw = flaw_of_step(step, reward, observation)
    if flaw is not None:
        refuse(runner, flaw, words_on(level.plain(), level.revision, flaw))
