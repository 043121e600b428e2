"""Every env plays a level of its own: the wrappers alone, then in real env runners."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box
from ray.rllib.algorithms.algorithm import Algorithm
from rllib_catalogue import (
    METER,
    NARROW,
    Bare,
    ByAttributes,
    ByConstructor,
    ByMethod,
    ByOptions,
    Pair,
    Turns,
    configured,
    levels_of,
    meter,
    tiny_ppo,
)

from orchestrator import rllib
from orchestrator.apply import ApplyKind, CannotApply
from orchestrator.knobs import Range
from orchestrator.level_env import LevelEnv, MultiAgentLevelEnv, make_level_env
from orchestrator.levels import Play

WAYS: list[tuple[type[Any], ApplyKind]] = [
    (ByMethod, "method"),
    (ByAttributes, "attributes"),
    (ByOptions, "options"),
    (ByConstructor, "rebuild"),
    (ByMethod, "auto"),
    (ByAttributes, "auto"),
]


def play_out(env: LevelEnv) -> list[float]:
    """The rewards of one episode, from a reset that was just made."""
    rewards: list[float] = []
    done = False
    while not done:
        _, reward, terminated, truncated, _ = env.step(0)
        rewards.append(float(reward))
        done = terminated or truncated
    return rewards


# One env


@pytest.mark.parametrize(("env", "way"), WAYS, ids=lambda value: getattr(value, "__name__", value))
def test_a_level_changes_what_the_env_does(env: type[Any], way: ApplyKind) -> None:
    wrapped = LevelEnv(meter(env, way))
    played = []
    for seed in (1, None, None, None, None, None):
        _, info = wrapped.reset(seed=seed)
        played.append(dict(info["level"]))
        assert play_out(wrapped) == [info["level"]["gain"]] * info["level"]["horizon"]
    assert len({level["gain"] for level in played}) == 6


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("method", r"needs a method `set_level\(level\)`, but Bare has none"),
        ("attributes", r"needs attributes that exist, but Bare has no `gain`, `horizon`"),
        ("options", r"of Bare must read every knob, but it never looked at `gain`, `horizon`"),
    ],
)
def test_an_env_that_would_ignore_the_level_is_refused(way: ApplyKind, message: str) -> None:
    env = LevelEnv(meter(Bare, way))
    with pytest.raises(CannotApply, match=message):
        env.reset(seed=0)


def test_an_env_that_takes_levels_in_no_way_is_refused_when_it_is_built() -> None:
    with pytest.raises(CannotApply, match="Bare must have a method"):
        LevelEnv(meter(Bare, "auto"))


def test_a_constructor_without_the_knobs_is_not_passed_over() -> None:
    env = LevelEnv(replace(meter(ByConstructor, "rebuild"), make=lambda level: Bare(**level)))
    with pytest.raises(TypeError, match="takes no arguments"):
        env.reset(seed=0)


def test_the_seed_of_a_reset_decides_levels_and_the_envs_own_draws() -> None:
    for env, way in WAYS:
        one, other = LevelEnv(meter(env, way)), LevelEnv(meter(env, way))
        for seed in (7, None, None):
            (seen, info), (seen2, info2) = one.reset(seed=seed), other.reset(seed=seed)
            assert info["level"] == info2["level"]
            assert seen.tolist() == seen2.tolist()


def test_an_env_that_is_built_anew_does_not_repeat_itself() -> None:
    env = LevelEnv(meter(ByConstructor, "rebuild"))
    seen = [env.reset(seed=seed)[0].tolist() for seed in (7, None, None)]
    assert seen[0] != seen[1] != seen[2]


def test_info_names_level_and_revision() -> None:
    env = make_level_env({"setup": meter(ByMethod, revision=3), "multi_agent": False})
    _, info = env.reset(seed=0)
    assert METER.full().contains(dict(info["level"]))
    assert info["level"].revision == 3
    assert env.held_revision() == 3
    assert env.set_distribution(NARROW, 4) == 4
    # The level under way is still one of the former revision.
    assert env.step(0)[1] == info["level"]["gain"]
    _, info = env.reset()
    assert NARROW.contains(dict(info["level"]))
    assert info["level"].revision == 4


LONG = replace(NARROW, marginals={**NARROW.marginals, "horizon": Range(9, 9)})
SUITE = (Play(0, {"gain": 2.0, "horizon": 9}, 5), Play(1, {"gain": 3.0, "horizon": 4}, 6))


def test_an_episode_of_a_suite_is_cut_and_one_of_training_is_not() -> None:
    env = LevelEnv(meter(ByMethod, max_steps=5))
    env.schedule(SUITE)
    env.reset()
    steps = [env.step(0)[2:4] for _ in range(5)]
    assert steps == [(False, False)] * 4 + [(False, True)]
    env.reset()
    assert play_out(env) == [3.0] * 4
    env.schedule(())
    env.set_distribution(LONG, 1)
    env.reset()
    assert len(play_out(env)) == 9


def test_the_same_play_starts_the_same_whatever_was_before() -> None:
    env = LevelEnv(meter(ByMethod))
    env.schedule(SUITE)
    first = env.reset(seed=1)[0].tolist()
    env.reset()
    env.schedule(SUITE)
    assert env.reset(seed=2)[0].tolist() == first


# Several agents


@pytest.mark.parametrize("kind", [Pair, Turns])
def test_every_agent_that_sees_the_reset_is_told_the_level(kind: type[Any]) -> None:
    env = make_level_env({"setup": meter(kind, "auto", revision=2), "multi_agent": True})
    assert isinstance(env, MultiAgentLevelEnv)
    seen, infos = env.reset(seed=0)
    assert infos.keys() == seen.keys()
    for info in infos.values():
        assert METER.full().contains(dict(info["level"]))
        assert info["level"].revision == 2
    _, rewards, *_ = env.step(dict.fromkeys(seen, 0))
    assert rewards["a"] == infos["a"]["level"]["gain"]


def test_several_agents_are_cut_together() -> None:
    env = MultiAgentLevelEnv(meter(Pair, max_steps=5))
    env.schedule(SUITE)
    for length in (5, 4):
        env.reset()
        ends = [env.step({"a": 0, "b": 0})[2]["__all__"] for _ in range(length)]
        assert ends == [False] * (length - 1) + [True]
        gain = SUITE[5 - length].level["gain"]
        assert env.returns == {"a": gain * length, "b": -gain * length / 2}


def test_the_wrapper_answers_for_the_env() -> None:
    env = MultiAgentLevelEnv(meter(Pair))
    assert env.possible_agents == ["a", "b"]
    assert env.agents == ["a", "b"]
    assert env.get_observation_space("a") == env.env.observation_spaces["a"]
    assert env.get_action_space("b") == env.env.action_spaces["b"]
    env.reset(seed=0)
    env.env.agents = ["b"]
    assert env.agents == ["b"]


# Shown the level


@pytest.mark.parametrize(("env", "way"), WAYS, ids=lambda value: getattr(value, "__name__", value))
def test_every_observation_of_an_episode_ends_with_its_level(
    env: type[Any], way: ApplyKind
) -> None:
    wrapped = LevelEnv(meter(env, way, condition=("horizon", "gain")))
    assert wrapped.observation_space == Box(-1.0, 1.0, (4,), np.float32)
    for seed in (1, None, None):
        seen, info = wrapped.reset(seed=seed)
        gain, horizon = info["level"]["gain"], info["level"]["horizon"]
        shown = pytest.approx([(horizon - 3) / 6 * 2 - 1, (gain - 1) / 9 * 2 - 1])
        assert wrapped.observation_space.contains(seen)
        assert seen[2:].tolist() == shown
        for _ in range(horizon):
            seen, reward, *_ = wrapped.step(0)
            assert wrapped.observation_space.contains(seen)
            assert seen[2:].tolist() == shown
            assert reward == gain


def test_the_level_is_shown_in_a_suite_too() -> None:
    env = LevelEnv(meter(ByMethod, max_steps=5, condition=("horizon",)))
    env.schedule(SUITE)
    assert env.reset()[0].shape == (3,)
    steps = [env.step(0) for _ in range(5)]
    assert [seen[2] for seen, *_ in steps] == [1.0] * 5
    assert [cut for *_, cut, _ in steps] == [False] * 4 + [True]


@pytest.mark.parametrize("kind", [Pair, Turns])
def test_every_agent_is_shown_the_level(kind: type[Any]) -> None:
    env = MultiAgentLevelEnv(meter(kind, condition=("gain",)))
    assert env.observation_spaces == dict.fromkeys("ab", Box(-1.0, 1.0, (3,), np.float32))
    assert env.get_observation_space("b").shape == (3,)
    seen, infos = env.reset(seed=0)
    shown = pytest.approx((infos["a"]["level"]["gain"] - 1) / 9 * 2 - 1)
    for _ in range(3):
        assert [each[2] for each in seen.values()] == [shown] * len(seen)
        seen, *_ = env.step(dict.fromkeys(seen, 0))


def test_without_a_condition_the_env_is_stepped_directly() -> None:
    env = LevelEnv(meter(ByMethod))
    env.reset(seed=0)
    assert env.step.__qualname__ == "Guard._around.<locals>.guarded"


def test_an_unknown_knob_to_be_shown_is_refused_when_the_env_is_built() -> None:
    with pytest.raises(ValueError, match=r"'gaim' \(did you mean 'gain'\?\)"):
        LevelEnv(meter(ByMethod, condition=("gaim",)))


# In env runners


RUNNERS = [
    pytest.param((ByMethod, "sync", 0), id="sync-local"),
    pytest.param((ByMethod, "sync", 2), id="sync-2-remote"),
    pytest.param((ByMethod, "async", 0), id="async-local"),
    pytest.param((ByMethod, "async", 2), id="async-2-remote"),
    pytest.param((Pair, "sync", 0), id="agents-local"),
    pytest.param((Turns, "sync", 2), id="turns-2-remote"),
]
SLOTS = 3


@pytest.fixture(scope="module", params=RUNNERS)
def algorithm(ray_runtime: None, request: pytest.FixtureRequest) -> Iterator[Algorithm]:
    env, vectorisation, remote = request.param
    config = tiny_ppo(remote, envs=SLOTS)
    config.env_runners(gym_env_vectorize_mode=vectorisation)
    built = rllib.build(configured(config, meter(env)), {}, "test")
    yield built
    built.stop()


@pytest.fixture(autouse=True)
def _as_first_pushed(request: pytest.FixtureRequest) -> None:
    if "algorithm" in request.fixturenames:
        rllib.push_distribution(request.getfixturevalue("algorithm"), METER.full(), 0)


def slots_of(algorithm: Algorithm, *key: str | int) -> list[list[tuple[dict[str, Any], int]]]:
    """Of every sub-env of every runner, what it drew at four resets after a reseed."""
    rllib.reseed(algorithm, *key)
    slots = [slot for runner in rllib.each_runner(algorithm, levels_of) for slot in runner]
    remote = algorithm.env_runner_group.num_remote_env_runners()
    assert len(slots) == SLOTS * (remote or 1)
    return slots


@pytest.mark.ray
def test_every_sub_env_draws_a_level_of_its_own_at_every_reset(algorithm: Algorithm) -> None:
    slots = slots_of(algorithm, "own")
    gains = [level["gain"] for slot in slots for level, _ in slot]
    assert len(set(gains)) == len(gains)
    assert {revision for slot in slots for _, revision in slot} == {0}


@pytest.mark.ray
def test_the_key_alone_decides_every_level(algorithm: Algorithm) -> None:
    first = slots_of(algorithm, "key", 1)
    assert slots_of(algorithm, "key", 2) != first
    assert slots_of(algorithm, "key", 1) == first


@pytest.mark.ray
def test_a_pushed_distribution_reaches_every_sub_env(algorithm: Algorithm) -> None:
    remote = algorithm.env_runner_group.num_remote_env_runners()
    held = rllib.push_distribution(algorithm, NARROW, 5)
    assert held == (5,) * SLOTS * (remote or 1)
    for slot in slots_of(algorithm, "pushed"):
        for level, revision in slot:
            assert NARROW.contains(level)
            assert revision == 5


@pytest.mark.ray
def test_a_push_between_iterations_goes_on_with_each_generator(algorithm: Algorithm) -> None:
    rllib.reseed(algorithm, "train")
    algorithm.train()
    before = rllib.drain_episodes(algorithm)
    rllib.push_distribution(algorithm, METER.full(), 1)
    algorithm.train()
    after = rllib.drain_episodes(algorithm)
    assert {episode.revision for episode in before} == {0}
    # Those under way at the push end on the revision that they began on.
    assert {episode.revision for episode in after} == {0, 1}
    gains = [episode.level["gain"] for episode in before + after]
    assert len(set(gains)) == len(gains)


@pytest.mark.ray
def test_what_is_said_of_an_episode_is_what_was_played(algorithm: Algorithm) -> None:
    rllib.reseed(algorithm, "said")
    episodes = []
    for _ in range(3):
        algorithm.train()
        episodes += rllib.drain_episodes(algorithm)
    assert len(episodes) > 20
    single = not algorithm.config.is_multi_agent
    for episode in episodes:
        gain, horizon = episode.level["gain"], episode.level["horizon"]
        expected = {"": 1.0} if single else {"a": 1.0, "b": -0.5}
        assert episode.length == horizon
        assert episode.returns == pytest.approx(
            {agent: share * gain * horizon for agent, share in expected.items()}
        )
        assert episode.total() == pytest.approx(sum(episode.returns.values()))
        assert episode.success is True
        assert episode.play is None


@pytest.mark.ray
def test_a_level_that_cannot_be_applied_ends_the_iteration(ray_runtime: None) -> None:
    algorithm = rllib.build(configured(tiny_ppo(), meter(Bare, "options")), {}, "test")
    try:
        with pytest.raises(CannotApply, match="never looked at `gain`, `horizon`"):
            algorithm.train()
    finally:
        algorithm.stop()
