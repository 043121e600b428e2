"""Rollouts without gradient: on the levels that were asked for, and nobody learns from them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gae_by_hand import Track, assert_scored, joined, tracks_of
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from rllib_catalogue import (
    METER,
    POLE,
    ByConstructor,
    ByMethod,
    Pair,
    Turns,
    configured,
    filtered,
    meter,
    pole,
    tiny_dqn,
    tiny_ppo,
    with_kl,
)

from orchestrator import rllib
from orchestrator.distributions import EnvSpace
from orchestrator.rllib.level_scores import LevelScores
from orchestrator.rllib.processes import seeded

pytestmark = pytest.mark.ray


@contextmanager
def built(config: AlgorithmConfig) -> Iterator[Algorithm]:
    algorithm = rllib.build(config, {}, "test")
    try:
        rllib.reseed(algorithm, "probing")
        yield algorithm
    finally:
        algorithm.stop()


def draw(space: EnvSpace, count: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(count)
    return [space.full().sample(rng) for _ in range(count)]


@pytest.mark.parametrize("env", [ByMethod, ByConstructor, Pair, Turns])
def test_each_level_is_played_once_and_in_its_place(ray_runtime: None, env: type[Any]) -> None:
    levels = draw(METER, 6)
    share = 0.5 if env in (Pair, Turns) else 1.0
    apply: Any = "rebuild" if env is ByConstructor else "method"
    with built(configured(tiny_ppo(), meter(env, apply, max_steps=6))) as algorithm:
        episodes, steps = rllib.probe(algorithm, levels, "once")
    assert [dict(episode.level) for episode in episodes] == levels
    lengths = [min(level["horizon"], 6) for level in levels]
    assert [episode.length for episode in episodes] == lengths
    assert [episode.total() for episode in episodes] == pytest.approx(
        [share * level["gain"] * n for level, n in zip(levels, lengths, strict=True)]
    )
    assert all(episode.scores == {} for episode in episodes)
    assert steps >= sum(lengths)


def test_no_levels_take_no_steps(ray_runtime: None) -> None:
    with built(configured(tiny_ppo(), pole(), level_scores=True)) as algorithm:
        assert rllib.probe(algorithm, [], "none") == ([], 0)


def test_the_key_decides_what_is_played_and_the_policy_explores(ray_runtime: None) -> None:
    level = draw(POLE, 1)[0]
    with built(configured(tiny_ppo(), pole(), level_scores=True)) as algorithm:
        first, steps = rllib.probe(algorithm, [level] * 6, "key", 1)
        algorithm.train()
        rllib.drain_episodes(algorithm)
        trained, _ = rllib.probe(algorithm, [level] * 6, "key", 1)
    with built(configured(tiny_ppo(), pole(), level_scores=True)) as algorithm:
        torch.rand(7)
        again, same_steps = rllib.probe(algorithm, [level] * 6, "key", 1)
        other, _ = rllib.probe(algorithm, [level] * 6, "key", 2)
    assert (first, steps) == (again, same_steps)
    assert len({episode.length for episode in first}) > 1
    assert [episode.length for episode in first] != [episode.length for episode in other]
    assert [dict(e.scores) for e in trained] != [dict(e.scores) for e in first]


# Scores


def probe_and_look(
    algorithm: Algorithm, levels: Sequence[dict[str, Any]]
) -> tuple[list[Any], list[Track]]:
    """The probed episodes, and all that was played for them."""
    runner = algorithm.eval_env_runner
    sample = runner.sample
    played: list[Track] = []

    def record(**kwargs: Any) -> Any:
        chunks = sample(**kwargs)
        played.extend(tracks_of(algorithm, chunks))
        return chunks

    runner.sample = record
    episodes, _ = rllib.probe(algorithm, levels, "look")
    runner.sample = sample
    return episodes, played


# A slot alone plays several of the short episodes of `METER` before it is cut.
PROBED: dict[str, Callable[[], AlgorithmConfig]] = {
    "pole": lambda: configured(tiny_ppo(), pole(), level_scores=True),
    "pole-filter": lambda: configured(filtered(tiny_ppo()), pole(), level_scores=True),
    "agents": lambda: configured(tiny_ppo(), meter(Pair), 1, level_scores=True),
    "turns": lambda: configured(tiny_ppo(), meter(Turns), 1, level_scores=True),
}


@pytest.mark.parametrize("name", PROBED)
def test_gae_goes_over_the_whole_episode_wherever_it_was_cut(ray_runtime: None, name: str) -> None:
    config = PROBED[name]()
    levels = draw(config.env_config["setup"].distribution.space, 16)
    with built(config) as algorithm:
        algorithm.train()
        rllib.drain_episodes(algorithm)
        episodes, played = probe_and_look(algorithm, levels)
        whole = joined(played)
        assert len(whole) < len(played), "no episode was cut"
        assert_scored(algorithm, episodes, whole)


# Training does not notice, and a restart neither


def go_on(algorithm: Algorithm) -> list[Any]:
    """All that scores and probes show of the next two iterations."""
    rllib.reseed(algorithm, "boundary")
    life: list[Any] = []
    for number in range(2):
        life.append(rllib.probe(algorithm, draw(POLE, 5), "life", number))
        algorithm.train()
        life.append(rllib.drain_episodes(algorithm))
        life.append(rllib.weights_digest(algorithm))
    assert all(episode.scores for episode in life[0][0] + life[1])
    return life


def test_scores_and_probes_go_on_to_the_bit_after_a_restart(
    ray_runtime: None, tmp_path: Path
) -> None:
    def config() -> AlgorithmConfig:
        return on_pole(filtered(with_kl(tiny_ppo())))

    with built(config()) as algorithm:
        for number in range(2):
            rllib.probe(algorithm, draw(POLE, 3), "before", number)
            algorithm.train()
            rllib.drain_episodes(algorithm)
        rllib.save(algorithm, tmp_path)
        expected = go_on(algorithm)
        # In place, as a member that becomes another.
        rllib.reconfigure(algorithm, config(), {})
        rllib.restore(algorithm, tmp_path)
        assert go_on(algorithm) == expected
    with built(config()) as algorithm:
        rllib.restore(algorithm, tmp_path)
        assert go_on(algorithm) == expected


def on_pole(config: AlgorithmConfig) -> AlgorithmConfig:
    return configured(config, pole(), level_scores=True)


UNDISTURBED: dict[str, Callable[[], AlgorithmConfig]] = {
    "ppo": lambda: on_pole(with_kl(tiny_ppo())),
    "ppo-filter": lambda: on_pole(filtered(with_kl(tiny_ppo()))),
    "ppo-remote": lambda: on_pole(filtered(tiny_ppo(remote=1))),
    "ppo-agents": lambda: configured(tiny_ppo(), meter(Pair), level_scores=True),
    "dqn": lambda: configured(tiny_dqn(), pole()),
}


@pytest.mark.parametrize("name", UNDISTURBED)
def test_probes_do_not_show_in_training(ray_runtime: None, name: str, tmp_path: Path) -> None:
    config = UNDISTURBED[name]()
    levels = draw(config.env_config["setup"].distribution.space, 5)
    lives = []
    with built(config) as algorithm:
        for _ in range(2):
            algorithm.train()
        rllib.save(algorithm, tmp_path)
        for probed in (False, True):
            rllib.restore(algorithm, tmp_path)
            rllib.reseed(algorithm, "undisturbed")
            life: list[Any] = []
            for number in range(3):
                if probed:
                    rllib.probe(algorithm, levels, "shown", number)
                result = algorithm.train()
                returned = result["env_runners"].get("episode_return_mean")
                episodes = rllib.drain_episodes(algorithm)
                assert all(episode.play is None for episode in episodes)
                digest = rllib.weights_digest(algorithm)
                life.append((episodes, repr(returned), rllib.env_steps(algorithm), digest))
            lives.append(life)
    assert lives[0] == lives[1]


@pytest.mark.parametrize("env", [ByMethod, Pair])
def test_no_probe_ever_enters_a_train_batch(ray_runtime: None, env: type[Any]) -> None:
    with built(configured(tiny_ppo(), meter(env), level_scores=True)) as algorithm:
        update = algorithm.learner_group.update
        learnt_from: list[str] = []

        def record(*, episodes: Sequence[Any], **kwargs: Any) -> Any:
            learnt_from.extend(chunk.id_ for chunk in episodes)
            return update(episodes=episodes, **kwargs)

        algorithm.learner_group.update = record
        probed: list[str] = []
        trained: list[str] = []
        for number in range(3):
            episodes, _ = rllib.probe(algorithm, draw(METER, 6), "batch", number)
            probed += [episode.id for episode in episodes]
            algorithm.train()
            trained += [episode.id for episode in rllib.drain_episodes(algorithm)]
    assert len(set(probed)) == 18
    assert len(trained) >= 30
    assert set(trained) <= set(learnt_from)
    assert not set(probed) & set(learnt_from)


def test_a_probe_updates_nothing_and_leaves_no_sums(ray_runtime: None) -> None:
    with built(on_pole(filtered(tiny_ppo()))) as algorithm:
        algorithm.train()
        rllib.drain_episodes(algorithm)
        learner = algorithm.learner_group._learner
        pieces = learner._learner_connector.connectors
        (scores,) = [piece for piece in pieces if isinstance(piece, LevelScores)]
        kept = {name: sums.tolist() for name, sums in scores.sums.items()}
        before = rllib.weights_digest(algorithm), learner.get_state()["optimizer"]
        metrics = repr(learner.metrics.get_state())
        rllib.probe(algorithm, draw(POLE, 5), "nothing")
        after = rllib.weights_digest(algorithm), learner.get_state()["optimizer"]
        assert {name: sums.tolist() for name, sums in scores.sums.items()} == kept
        assert repr(before) == repr(after)
        assert repr(learner.metrics.get_state()) == metrics


def test_generators_go_on_as_if_nothing_had_been_drawn() -> None:
    def numbers() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(1))  # noqa: NPY002

    torch.manual_seed(3)
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    expected = [numbers(), numbers()]
    torch.manual_seed(3)
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    found = [numbers()]
    drawn = []
    for _ in range(2):
        with seeded(11):
            drawn.append(numbers())
    found.append(numbers())
    assert found == expected
    assert drawn[0] == drawn[1] not in expected
