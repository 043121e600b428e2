"""A stock Algorithm whose envs draw levels: told which, it says what it played, or fails loudly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import ray
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.tune.registry import register_env
from rllib_catalogue import POLE, ByMethod, Pair, make_pole, one_policy, tiny_ppo

import orchestrator
from orchestrator.distributions import EnvSpace, Product
from orchestrator.knobs import Continuous, Integer, Range
from orchestrator.rllib import stock
from orchestrator.rllib.stock import NotTold, Played

pytestmark = pytest.mark.ray

SPACE = EnvSpace(
    {"gain": Continuous(1.0, 10.0), "horizon": Integer(3, 9)},
    {"gain": Range(1.0, 2.0), "horizon": Range(3, 4)},
)
HIGH = Product(SPACE, {"gain": Range(8.0, 9.0), "horizon": Range(3, 4)})


class Meter(ByMethod):
    """Takes levels by its method; what an episode returned tells its level."""

    def __init__(self, config: Any) -> None: ...


class Meters(Pair):
    """Two agents."""

    def __init__(self, config: Any) -> None:
        super().__init__()


class Counting(RLlibCallback):  # type: ignore[misc]
    """Somebody's own callback."""

    def on_train_result(self, *, result: dict[str, Any], **kwargs: Any) -> None:
        result["their_own"] = True


def on_meter(remote: int = 0) -> PPOConfig:
    """As a user writes it."""
    return tiny_ppo(remote).environment(Meter).callbacks(Counting)


def built(config: PPOConfig) -> Algorithm:
    return orchestrator.leveled(config, SPACE).build_algo()


@pytest.fixture(scope="module")
def algorithm(ray_runtime: None) -> Iterator[Algorithm]:
    algorithm = built(on_meter())
    yield algorithm
    algorithm.stop()


def played(algorithm: Algorithm) -> Played:
    result = algorithm.train()
    assert result["their_own"]
    found: Played = result[stock.PLAYED]
    return found


def test_it_says_what_it_played(algorithm: Algorithm) -> None:
    # Untold it draws from the space's start, and its results are stock.
    assert stock.PLAYED not in algorithm.train()
    assert 1.0 * 3 <= algorithm.train()["env_runners"]["episode_return_mean"] <= 2.0 * 4
    stock.tell(algorithm, HIGH, 3)
    first, second = played(algorithm), played(algorithm)
    assert first.revision == second.revision == 3
    assert second.env_steps >= first.env_steps + 96
    # Episodes that were under way when it was told are of the distribution before.
    assert {outcome.revision for outcome in first.outcomes} == {0, 3}
    assert {outcome.revision for outcome in second.outcomes} == {3}
    for outcome in first.outcomes + second.outcomes:
        gain, horizon = outcome.level["gain"], outcome.level["horizon"]
        assert (outcome.total, outcome.length) == (pytest.approx(gain * horizon), horizon)
        assert (gain >= 8.0) == (outcome.revision == 3)
        assert outcome.success is True
    assert 96 // 4 - 4 <= len(second.outcomes) <= 96 // 3


def test_it_trains_no_more_once_it_cannot_be_told(ray_runtime: None) -> None:
    other = EnvSpace({"gain": Continuous(1.0, 11.0), "horizon": Integer(3, 9)})
    algorithm = built(on_meter())
    try:
        before = algorithm.iteration
        stock.tell(algorithm, other.full(), 1)
        # What is tried later does not hide it.
        stock.refuse(algorithm, "another reason")
        with pytest.raises(NotTold, match="the same space"):
            algorithm.train()
        assert algorithm.iteration == before
    finally:
        algorithm.stop()


def test_envs_that_draw_no_levels_are_refused(ray_runtime: None) -> None:
    algorithm = tiny_ppo().environment(Meter).build_algo()
    try:
        stock.tell(algorithm, HIGH, 0)
        with pytest.raises(NotTold, match=r"make its config with orchestrator\.leveled"):
            algorithm.train()
    finally:
        algorithm.stop()


def test_callbacks_that_were_replaced_are_noticed(ray_runtime: None) -> None:
    algorithm = orchestrator.leveled(on_meter(), SPACE).callbacks(Counting).build_algo()
    try:
        stock.tell(algorithm, HIGH, 0)
        with pytest.raises(NotTold, match="call leveled last"):
            algorithm.train()
    finally:
        algorithm.stop()


def test_a_restarted_env_runner_is_told_again_before_it_samples(ray_runtime: None) -> None:
    algorithm = built(on_meter(remote=2))
    try:
        stock.tell(algorithm, HIGH, 5)
        assert {each.revision for each in played(algorithm).outcomes} == {5}
        group = algorithm.env_runner_group
        ray.kill(group._worker_manager.actors()[1], no_restart=False)
        restarts = group.num_remote_worker_restarts()
        for _ in range(60):
            assert {each.revision for each in played(algorithm).outcomes} <= {5}
            if group.num_remote_worker_restarts() > restarts and len(held(algorithm)) == 2:
                break
        assert group.num_remote_worker_restarts() == restarts + 1
        assert held(algorithm) == [[5] * 4] * 2
        assert {each.revision for each in played(algorithm).outcomes} == {5}
    finally:
        algorithm.stop()


def test_an_env_that_reverted_fails_the_iteration(ray_runtime: None) -> None:
    algorithm = built(on_meter())
    try:
        stock.tell(algorithm, HIGH, 5)
        runner = algorithm.env_runner
        runner.env.unwrapped.envs[1].get_wrapper_attr("set_distribution")(SPACE.initial(), 0)
        with pytest.raises(NotTold, match=r"must hold revision 5, but: \[5, 0, 5, 5\]"):
            algorithm.train()
    finally:
        algorithm.stop()


def test_rllibs_own_evaluation_goes_on_with_the_start(ray_runtime: None) -> None:
    config = on_meter().evaluation(
        evaluation_interval=1, evaluation_duration=5, evaluation_num_env_runners=0
    )
    algorithm = built(config)
    try:
        stock.tell(algorithm, HIGH, 1)
        result = algorithm.train()
        evaluated = result["evaluation"]["env_runners"]["episode_return_mean"]
        assert 1.0 * 3 <= evaluated <= 2.0 * 4
        assert {each.revision for each in result[stock.PLAYED].outcomes} == {1}
    finally:
        algorithm.stop()


def test_several_agents(ray_runtime: None) -> None:
    config = tiny_ppo().environment(Meters)
    config.multi_agent(policies={"shared"}, policy_mapping_fn=one_policy)
    algorithm = built(config)
    try:
        stock.tell(algorithm, HIGH, 1)
        found = algorithm.train()[stock.PLAYED]
        for outcome in found.outcomes:
            # ``b`` pays back half of what ``a`` gets.
            gain, horizon = outcome.level["gain"], outcome.level["horizon"]
            assert outcome.total == pytest.approx(gain * horizon / 2)
            assert outcome.revision == 1
        assert found.outcomes
    finally:
        algorithm.stop()


def test_a_name_that_was_registered_with_tune() -> None:
    register_env("their-pole", lambda context: make_pole({}))
    config = orchestrator.leveled(PPOConfig().environment("their-pole"), POLE, apply="method")
    env = config.env_config["envolve"].env({})
    assert isinstance(env.unwrapped, type(make_pole({}).unwrapped))


def test_the_config_that_was_given_stays_as_it_was() -> None:
    config = PPOConfig().environment("CartPole-v1", env_config={"sutton_barto_reward": True})
    space = EnvSpace({"gravity": Continuous(5.0, 20.0)})
    made = orchestrator.leveled(config, space)
    assert type(made) is PPOConfig
    assert config.env == "CartPole-v1"
    assert config.env_config == {"sutton_barto_reward": True}
    assert config.callbacks_class is RLlibCallback
    assert made.env_config["sutton_barto_reward"] is True


@pytest.mark.parametrize(
    ("config", "apply", "said"),
    [
        (PPOConfig(), "auto", "must have an env, but has none"),
        (
            PPOConfig()
            .environment("CartPole-v1")
            .api_stack(
                enable_rl_module_and_learner=False, enable_env_runner_and_connector_v2=False
            ),
            "auto",
            "new API stack",
        ),
        (PPOConfig().environment("CartPole-v1"), "atributes", "did you mean 'attributes'"),
        (
            orchestrator.leveled(PPOConfig().environment("CartPole-v1"), POLE),
            "auto",
            "draw levels already",
        ),
    ],
)
def test_what_it_is_given_is_checked(config: PPOConfig, apply: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        orchestrator.leveled(config, POLE, apply=apply)


def held(algorithm: Algorithm) -> list[list[int]]:
    """What the envs of each remote runner hold."""
    return algorithm.env_runner_group.foreach_env_runner(  # type: ignore[no-any-return]
        lambda runner: list(runner.env.unwrapped.call("held_revision")), local_env_runner=False
    )
