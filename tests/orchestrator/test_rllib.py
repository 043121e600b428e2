"""Algorithms of RLlib, for real: suites, and checkpoints that bring back all there was."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.algorithms.dqn import DQNConfig
from rllib_catalogue import (
    METER,
    POLE,
    ByMethod,
    Pair,
    Turns,
    configured,
    filtered,
    meter,
    pole,
    swing,
    tiny_dqn,
    tiny_ppo,
    tiny_sac,
    with_kl,
)

from orchestrator import rllib
from orchestrator.episodes import Episode
from orchestrator.levels import Play
from orchestrator.suites import draw_suite

pytestmark = pytest.mark.ray


@contextmanager
def built(config: AlgorithmConfig, **hyperparameters: Any) -> Iterator[Algorithm]:
    algorithm = rllib.build(config, hyperparameters, "test")
    try:
        yield algorithm
    finally:
        algorithm.stop()


# Suites


def totals(episodes: list[Episode]) -> list[float]:
    return [episode.total() for episode in episodes]


@pytest.mark.parametrize("env", [ByMethod, Pair, Turns])
@pytest.mark.parametrize("slots", [1, 4, 16])
def test_each_level_of_a_suite_is_played_once_and_in_its_place(
    ray_runtime: None, env: type[Any], slots: int
) -> None:
    # Level lengths differ by a factor of three, so that slots come round at different times.
    suite = draw_suite(METER, "select", 10, 0)
    share = 1.0 if env is ByMethod else 0.5
    with built(configured(tiny_ppo(), meter(env, max_steps=6), slots)) as algorithm:
        for _ in range(2):
            episodes, steps = rllib.play(algorithm, suite)
            assert [episode.play for episode in episodes] == list(range(10))
            assert [dict(episode.level) for episode in episodes] == [p.level for p in suite]
            lengths = [min(play.level["horizon"], 6) for play in suite]
            assert [episode.length for episode in episodes] == lengths
            assert totals(episodes) == pytest.approx(
                [share * p.level["gain"] * n for p, n in zip(suite, lengths, strict=True)]
            )
            assert steps >= sum(lengths)


def test_members_are_scored_on_the_agents_that_are_named(ray_runtime: None) -> None:
    suite = draw_suite(METER, "select", 3, 0)
    with built(configured(tiny_ppo(), meter(Pair))) as algorithm:
        episodes, _ = rllib.play(algorithm, suite)
    for episode, play in zip(episodes, suite, strict=True):
        full = play.level["gain"] * play.level["horizon"]
        assert episode.total() == pytest.approx(full / 2)
        assert episode.total(["a"]) == pytest.approx(full)
        assert episode.total(("b",)) == pytest.approx(-full / 2)
        assert episode.total(["a", "b"]) == episode.total()
        assert episode.total(["nobody"]) == 0.0


def test_a_suite_is_played_with_the_deterministic_policy(ray_runtime: None) -> None:
    suite = draw_suite(POLE, "select", 12, 0)
    # The number of slots changes the order of the sums in the net by rounding alone.
    returns = []
    for slots in (4, 16):
        with built(configured(tiny_ppo(), pole(), slots)) as algorithm:
            first, steps = rllib.play(algorithm, suite)
            again, same_steps = rllib.play(algorithm, suite)
            assert first == again
            assert steps == same_steps
            assert max(episode.length for episode in first) <= 40
            returns.append(totals(first))
            algorithm.train()
            assert [e.length for e in rllib.drain_episodes(algorithm)]
            trained, _ = rllib.play(algorithm, suite)
            assert [e.play for e in trained] == list(range(12))
    assert returns[0] == returns[1]
    assert len(set(returns[0])) > 1


def test_a_suite_of_one_level_leaves_slots_to_fillers(ray_runtime: None) -> None:
    suite = (Play(7, {"gain": 2.0, "horizon": 5}, 3),)
    with built(configured(tiny_ppo(), meter(Pair), 4)) as algorithm:
        episodes, steps = rllib.play(algorithm, suite)
    assert [(episode.play, episode.total()) for episode in episodes] == [(7, 5.0)]
    # A round of the loop is 32 steps in each of the four slots.
    assert 128 <= steps < 132


def test_suites_do_not_show_in_training(ray_runtime: None) -> None:
    suite = draw_suite(POLE, "select", 4, 0)
    seen = []
    for scored in (False, True):
        with built(configured(tiny_ppo(), pole())) as algorithm:
            rllib.reseed(algorithm, "suites")
            for _ in range(2):
                algorithm.train()
                if scored:
                    rllib.play(algorithm, suite)
            episodes = rllib.drain_episodes(algorithm)
            assert all(episode.play is None for episode in episodes)
            steps = rllib.env_steps(algorithm)
            seen.append((episodes, steps, rllib.weights_digest(algorithm)))
    assert seen[0] == seen[1]


# First weights


def test_first_weights_do_not_depend_on_the_order_in_which_policies_are_named(
    ray_runtime: None,
) -> None:
    """A set has another order in every process that does not fix its hashes."""
    digests = []
    for names in (["a", "b"], ["b", "a"]):
        config = tiny_ppo().multi_agent(policies=names, policy_mapping_fn=by_name)
        config = rllib.configure(config, meter(Pair), multi_agent=True, evaluation_envs=1)
        with built(config) as algorithm:
            digests.append(rllib.weights_digest(algorithm))
    assert digests[0] == digests[1]


def by_name(agent_id: str, *args: Any, **kwargs: Any) -> str:
    return agent_id


# Save and restore


def tiny_ppo_with_kl() -> AlgorithmConfig:
    return configured(with_kl(tiny_ppo()), pole())


def remote_ppo_with_kl() -> AlgorithmConfig:
    return configured(with_kl(tiny_ppo(remote=2, envs=2)), pole())


def agents_ppo() -> AlgorithmConfig:
    return configured(tiny_ppo(), meter(Pair))


def filtered_ppo() -> AlgorithmConfig:
    return configured(with_kl(filtered(tiny_ppo())), pole())


CONFIGS = {
    "ppo": tiny_ppo_with_kl,
    "ppo-2-remote": remote_ppo_with_kl,
    "ppo-agents": agents_ppo,
    "ppo-filter": filtered_ppo,
    "dqn": lambda: configured(tiny_dqn(), pole()),
    "sac": lambda: configured(tiny_sac(), swing()),
}


def state_of(algorithm: Algorithm) -> dict[str, Any]:
    """All that a restore has to bring back, as values that compare."""

    def learner_state(learner: Any) -> dict[str, Any]:
        state = learner.get_state(components=["rl_module", "optimizer"])
        state["extras"] = {
            name: {key: float(_plain(value)) for key, value in getattr(learner, name).items()}
            for name in ("curr_kl_coeffs_per_module", "curr_log_alpha", "last_update_ts_by_mid")
            if hasattr(learner, name)
        }
        return copy.deepcopy(state)

    def runner_state(runner: Any) -> dict[str, Any]:
        return copy.deepcopy(runner.get_state())

    state: dict[str, Any] = {
        "learner": algorithm.learner_group.foreach_learner(learner_state).result_or_errors[0].get(),
        "runners": rllib.each_runner(algorithm, runner_state),
        "evaluation": runner_state(algorithm.eval_env_runner),
        "steps": rllib.env_steps(algorithm),
        "iteration": algorithm.training_iteration,
    }
    if algorithm.local_replay_buffer is not None:
        state["buffer"] = copy.deepcopy(algorithm.local_replay_buffer.get_state())
    return state


def _plain(value: Any) -> Any:
    return value.detach() if hasattr(value, "detach") else value


def assert_same(one: Any, other: Any, where: str = "state") -> None:
    """Equal all the way down, to the bit."""
    assert type(one) is type(other), where
    if isinstance(one, dict):
        assert one.keys() == other.keys(), where
        for key in one:
            assert_same(one[key], other[key], f"{where}[{key!r}]")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), where
        for place, (left, right) in enumerate(zip(one, other, strict=True)):
            assert_same(left, right, f"{where}[{place}]")
    elif hasattr(one, "detach") or isinstance(one, np.ndarray):
        assert np.array_equal(np.asarray(one), np.asarray(other), equal_nan=True), where
    elif isinstance(one, int | float | str | bytes | type(None)):
        assert one == other, where


@pytest.fixture(scope="module", params=CONFIGS)
def lived(
    ray_runtime: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Callable[[], AlgorithmConfig], Algorithm, Path, dict[str, Any], list[str]]]:
    """An algorithm that was saved after three iterations and then trained three more."""
    config = CONFIGS[request.param]
    path = tmp_path_factory.mktemp("run") / "checkpoint"
    path.mkdir()
    with built(config()) as algorithm:
        rllib.reseed(algorithm, "before")
        for _ in range(3):
            algorithm.train()
        rllib.play(algorithm, _suite(algorithm))
        rllib.save(algorithm, path)
        # The suite went through the evaluation runner's own connectors.
        rllib.push_weights(algorithm)
        saved = state_of(algorithm)
        after = go_on(algorithm)
        yield config, algorithm, path, saved, after


def _suite(algorithm: Algorithm) -> tuple[Play, ...]:
    space = algorithm.config.env_config["setup"].distribution.space
    return draw_suite(space, "select", 3, 0)


def go_on(algorithm: Algorithm) -> list[str]:
    """Reseed and train; the weights after each iteration."""
    rllib.reseed(algorithm, "after")
    digests = []
    for _ in range(3):
        algorithm.train()
        digests.append(rllib.weights_digest(algorithm))
    assert len(set(digests)) == 3
    return digests


def test_a_new_algorithm_is_all_that_was_saved_and_goes_on_to_the_bit(lived: Any) -> None:
    config, _, path, saved, after = lived
    with built(config()) as algorithm:
        rllib.restore(algorithm, path)
        assert_same(state_of(algorithm), saved)
        assert rllib.check_weights(algorithm) == rllib.weights_digest(algorithm)
        assert go_on(algorithm) == after


def test_going_back_in_time_in_place_is_all_that_was_saved(lived: Any) -> None:
    _, algorithm, path, saved, after = lived
    for _ in range(2):
        rllib.restore(algorithm, path)
        assert_same(state_of(algorithm), saved)
        assert go_on(algorithm) == after


def test_becoming_in_place_is_what_a_fresh_build_is(lived: Any) -> None:
    config, algorithm, path, _, _ = lived
    name = "critic_lr" if "critic_lr" in config().to_dict() else "lr"
    hyperparameters = {name: 5e-3, "gamma": 0.9}
    if isinstance(config(), DQNConfig) and name == "lr":
        # It is the runners' modules that explore.
        hyperparameters["epsilon"] = 0.3
    rllib.reconfigure(algorithm, config(), hyperparameters)
    rllib.restore(algorithm, path)
    in_place = state_of(algorithm)
    rates = rllib.effective_lr(algorithm)
    assert 5e-3 in rates
    changed = go_on(algorithm)
    with built(config(), **hyperparameters) as fresh:
        rllib.restore(fresh, path)
        assert_same(state_of(fresh), in_place)
        assert rllib.effective_lr(fresh) == rates
        assert go_on(fresh) == changed
    # Back to what it was, for the other tests.
    rllib.reconfigure(algorithm, config(), {})
    rllib.restore(algorithm, path)


def test_the_learning_rates_are_the_configured_ones_and_not_the_saved_ones(lived: Any) -> None:
    config, algorithm, path, _, _ = lived

    def spoil(learner: Any) -> None:
        for optimizer in learner._named_optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = 0.125

    rllib.restore(algorithm, path)
    expected = rllib.effective_lr(algorithm)
    algorithm.learner_group.foreach_learner(spoil)
    rllib.restore(algorithm, path)
    assert rllib.effective_lr(algorithm) == expected
    given = config()
    if "critic_lr" in given.to_dict():
        assert set(expected) == {1e-3, 2e-3, 3e-3}
    else:
        assert set(expected) == {given.lr}


def test_what_rllib_leaves_out_had_moved(lived: Any) -> None:
    _, algorithm, _, saved, _ = lived
    extras = saved["learner"]["extras"]
    kind = type(algorithm).__name__
    if kind == "PPO" and not algorithm.config.is_multi_agent:
        assert extras["curr_kl_coeffs_per_module"]["default_policy"] > 0.3
    if kind == "SAC":
        assert extras["curr_log_alpha"]["default_policy"] != 0.0
    if kind in ("DQN", "SAC"):
        assert extras["last_update_ts_by_mid"]["default_policy"] > 0
        assert saved["buffer"]["_num_timesteps"] > 48


def test_a_checkpoint_names_no_place(lived: Any) -> None:
    path = lived[2]
    files = [file for file in path.rglob("*") if file.is_file()]
    assert len(files) > 5
    for place in (str(path), str(path.parent), str(path.parent.parent)):
        assert not [file for file in files if place.encode() in file.read_bytes()]


def test_a_checkpoint_can_be_moved(lived: Any, tmp_path: Path) -> None:
    _, algorithm, path, saved, _ = lived
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for file in path.rglob("*"):
        if file.is_file():
            place = moved / file.relative_to(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())
    rllib.restore(algorithm, moved)
    assert_same(state_of(algorithm), saved)


# Where not all hold the same


@pytest.fixture(scope="module")
def remote(ray_runtime: None) -> Iterator[Algorithm]:
    with built(remote_ppo_with_kl()) as algorithm:
        yield algorithm


def test_a_fresh_build_has_one_set_of_weights(remote: Algorithm) -> None:
    assert rllib.check_weights(remote) == rllib.weights_digest(remote)


@pytest.mark.parametrize("which", ["env runner 1", "evaluation runner"])
def test_a_runner_with_other_weights_is_named(remote: Algorithm, which: str) -> None:
    def spoil(runner: Any) -> None:
        if runner.worker_index != 1:
            for parameter in runner.module.parameters():
                parameter.data.zero_()

    rllib.push_weights(remote)
    if which == "evaluation runner":
        spoil(remote.eval_env_runner)
    else:
        rllib.each_runner(remote, spoil)
    with pytest.raises(rllib.RestoreFailed, match=which):
        rllib.check_weights(remote)
    rllib.push_weights(remote)
    rllib.check_weights(remote)


def test_no_weights_are_dropped_on_the_way_to_a_busy_runner(remote: Algorithm) -> None:
    group = remote.env_runner_group
    group.foreach_env_runner_async_fetch_ready(lambda runner: time.sleep(0.3), tag="nap")

    def advance(learner: Any) -> None:
        learner._weights_seq_no += 1

    for _ in range(4):
        rllib.each_learner(remote, advance)
        group.sync_weights(from_worker_or_learner_group=remote.learner_group, inference_only=True)
    found = rllib.each_runner(remote, lambda runner: runner._weights_seq_no)
    assert found == rllib.each_learner(remote, lambda learner: learner._weights_seq_no) * 2
    rllib.push_weights(remote)


def test_an_iteration_waits_for_every_runner(remote: Algorithm) -> None:
    assert remote.config.sample_timeout_s is None
    assert remote.config.sync_filters_on_rollout_workers_timeout_s is None


def test_whole_episodes_are_not_played_on_the_same_levels_again(ray_runtime: None) -> None:
    config = tiny_ppo(steps=24).env_runners(batch_mode="complete_episodes")
    lives = []
    for _ in range(2):
        with built(configured(config, meter(ByMethod))) as algorithm:
            rllib.reseed(algorithm, "whole")
            levels: list[Any] = []
            for _ in range(3):
                algorithm.train()
                levels += [tuple(e.level.items()) for e in rllib.drain_episodes(algorithm)]
            lives.append(levels)
    assert len(lives[0]) >= 12
    assert len(set(lives[0])) == len(lives[0])
    assert lives[0] == lives[1]


def test_a_runner_that_holds_another_revision_is_an_error(remote: Algorithm) -> None:
    def deafen(runner: Any) -> None:
        if runner.worker_index == 2:
            for env in runner.env.unwrapped.envs:
                wrapper = env.get_wrapper_attr("set_distribution").__self__
                wrapper.set_distribution = lambda distribution, revision: -1

    rllib.each_runner(remote, deafen)
    with pytest.raises(RuntimeError, match=r"must hold revision 9, .*\[9, 9, -1, -1\]"):
        rllib.push_distribution(remote, POLE.full(), 9)


def test_a_model_is_saved_whatever_became_of_its_runners(remote: Algorithm, tmp_path: Path) -> None:
    def die(runner: Any) -> None:
        if runner.worker_index == 2:
            os._exit(1)

    remote.env_runner_group.foreach_env_runner_async_fetch_ready(die, tag="death")
    # At first nobody knows that it is dead.
    for place in (tmp_path / "unknown", tmp_path / "known"):
        place.mkdir()
        rllib.save(remote, place)
        with built(tiny_ppo_with_kl()) as algorithm:
            rllib.restore(algorithm, place)
            assert rllib.weights_digest(algorithm) == rllib.weights_digest(remote)
