"""What is no number in episodes: found in all their shapes, and never trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flawed_envs import PaysNothing, PaysOneNothing, ShowsNothing, ShowsOneNothing
from gymnasium.spaces import Box, Dict, Discrete, Space, Tuple
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.env.multi_agent_episode import MultiAgentEpisode
from ray.rllib.env.single_agent_episode import SingleAgentEpisode
from rllib_catalogue import ByMethod, configured, meter, tiny_ppo

from orchestrator import env_faults, rllib
from orchestrator.env_faults import LastWords
from orchestrator.flaws import flaw_of
from orchestrator.levels import Play

NAN, INF = float("nan"), float("inf")
FLAT = Box(-1, 1, (2,), np.float32)
NESTED = Dict({"where": FLAT, "what": Tuple((Discrete(3), FLAT))})
WHOLE = Box(0, 255, (2,), np.uint8)


def flat(value: float = 0.0) -> Any:
    return np.array([0.0, value], np.float32)


def nested(value: float = 0.0) -> Any:
    return {"where": flat(), "what": (1, flat(value))}


def whole(value: float = 0.0) -> Any:
    return np.array([1, 2], np.uint8)


def episode(space: Space[Any], observations: list[Any], rewards: list[float]) -> SingleAgentEpisode:
    """An episode with these in it, still under way."""
    made = SingleAgentEpisode(observation_space=space, action_space=Discrete(2))
    made.add_env_reset(observations[0], {})
    for observation, reward in zip(observations[1:], rewards, strict=True):
        made.add_env_step(observation, 0, reward, {})
    return made


@pytest.mark.parametrize("as_arrays", [False, True], ids=["lists", "arrays"])
@pytest.mark.parametrize(
    ("space", "see"),
    [(FLAT, flat), (NESTED, nested), (WHOLE, whole)],
    ids=["flat", "nested", "whole"],
)
@pytest.mark.parametrize(
    ("observations", "rewards", "expected"),
    [
        ((0.0, 0.0, 0.0), (1.0, 1.0), None),
        ((0.0, 0.0, 0.0), (1.0, NAN), "the reward at step 2 is nan"),
        ((0.0, 0.0, 0.0), (-INF, NAN), "the reward at step 1 is -inf"),
        ((0.0, 0.0, INF), (1.0, 1.0), "the observation at step 2 is inf"),
        ((NAN, 0.0, INF), (1.0, 1.0), "the observation at the reset is nan"),
    ],
)
def test_the_first_flaw_is_named(
    as_arrays: bool,
    space: Space[Any],
    see: Any,
    observations: tuple[float, ...],
    rewards: tuple[float, ...],
    expected: str | None,
) -> None:
    made = episode(space, [see(value) for value in observations], list(rewards))
    if see is whole and expected is not None and "observation" in expected:
        # Whole numbers are always numbers.
        expected = None
    assert flaw_of(made.to_numpy() if as_arrays else made) == expected


def test_a_chunk_counts_from_where_its_episode_began() -> None:
    first = episode(FLAT, [flat()] * 4, [1.0] * 3)
    chunk = first.cut(len_lookback_buffer=2)
    chunk.add_env_step(flat(), 0, NAN, {})
    assert flaw_of(first.to_numpy()) is None
    assert flaw_of(chunk) == flaw_of(chunk.to_numpy()) == "the reward at step 4 is nan"


def test_what_was_seen_before_a_chunk_is_not_looked_at_again() -> None:
    chunk = episode(FLAT, [flat(NAN), flat(), flat()], [1.0] * 2).cut(len_lookback_buffer=2)
    assert flaw_of(chunk) is None


def test_of_several_agents_the_one_is_named() -> None:
    made = MultiAgentEpisode(
        observation_space={"a": FLAT, "b": FLAT}, action_space={"a": Discrete(2), "b": Discrete(2)}
    )
    made.add_env_reset(observations={"a": flat(), "b": flat()}, infos={})
    assert flaw_of(made) is None
    made.add_env_step({"a": flat(), "b": flat(INF)}, {"a": 0, "b": 0}, {"a": 1.0, "b": 1.0}, {})
    assert flaw_of(made) == "the observation of b at step 1 is inf"


# In env runners


def train(algorithm: Algorithm) -> None:
    for _ in range(5):
        algorithm.train()


def words_after(algorithm: Algorithm, folder: Path) -> LastWords:
    """The last words after an iteration that has to fail."""
    rllib.keep_words(algorithm, folder)
    with pytest.raises(Exception, match=r"nan|actor died"):
        train(algorithm)
    words = env_faults.spoken(folder)
    assert words is not None
    return words


# gymnasium's own checker warns about the first step of an env.
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.ray
@pytest.mark.parametrize(
    ("env", "remote", "flaw"),
    [
        (PaysNothing, 0, "the reward at step"),
        (ShowsNothing, 1, "the observation at step 2 is nan"),
        (PaysOneNothing, 0, "of a "),
        (ShowsOneNothing, 0, "the observation of b at step"),
    ],
)
def test_an_iteration_with_a_flaw_fails_and_names_the_level(
    ray_runtime: None, tmp_path: Path, env: type[Any], remote: int, flaw: str
) -> None:
    algorithm = rllib.build(configured(tiny_ppo(remote), meter(env, revision=3)), {}, "test")
    try:
        words = words_after(algorithm, tmp_path)
    finally:
        algorithm.stop()
    assert words.error.startswith("NotFinite: ")
    assert flaw in words.error
    assert words.level is not None
    assert words.level["gain"] > 5
    assert words.revision == 3


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.ray
def test_nobody_is_ranked_by_what_is_no_number(ray_runtime: None, tmp_path: Path) -> None:
    algorithm = rllib.build(configured(tiny_ppo(), meter(PaysNothing)), {}, "test")
    level = {"gain": 9.0, "horizon": 4}
    try:
        rllib.keep_words(algorithm, tmp_path)
        with pytest.raises(ValueError, match="the reward at step 1 is nan"):
            rllib.play(algorithm, [Play(0, {"gain": 1.0, "horizon": 4}, 1), Play(1, level, 2)])
    finally:
        algorithm.stop()
    words = env_faults.spoken(tmp_path)
    assert words is not None
    assert words.level == level


@pytest.mark.ray
def test_sound_envs_leave_no_words(ray_runtime: None, tmp_path: Path) -> None:
    algorithm = rllib.build(configured(tiny_ppo(), meter(ByMethod)), {}, "test")
    try:
        rllib.keep_words(algorithm, tmp_path)
        algorithm.train()
        rllib.play(algorithm, [Play(0, {"gain": 1.0, "horizon": 4}, 1)])
    finally:
        algorithm.stop()
    assert env_faults.spoken(tmp_path) is None
