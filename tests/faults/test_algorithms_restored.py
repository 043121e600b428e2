"""Ways in which stock RLlib restores the wrong thing: rows of ``make faults``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import ray
from ray.exceptions import RayActorError
from ray.rllib.algorithms.algorithm import Algorithm
from rllib_catalogue import (
    NARROW_POLE,
    blueprint,
    configured,
    member_state,
    pole,
    tiny_dqn,
    tiny_ppo,
    with_kl,
)

from orchestrator import rllib
from orchestrator.member import Member

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def remote(ray_runtime: None) -> Iterator[Algorithm]:
    """PPO with two remote env runners."""
    algorithm = rllib.build(configured(tiny_ppo(2, envs=2), pole()), {}, "faults")
    yield algorithm
    algorithm.stop()


@contextmanager
def local(**hyperparameters: float) -> Iterator[Algorithm]:
    """PPO that samples in this process, with an adaptive KL coefficient."""
    algorithm = rllib.build(configured(with_kl(tiny_ppo()), pole()), hyperparameters, "faults")
    try:
        yield algorithm
    finally:
        algorithm.stop()


def test_row_14_an_exploit_restarts_nothing(ray_runtime: None, tmp_path: Path) -> None:
    """The same Algorithm with the same env runners goes on with the donor's weights."""
    plan = blueprint(interval=1, algorithm=tiny_ppo(1, envs=2))
    member = Member(plan, tmp_path, member_state())
    try:
        report = member.iterate()
        algorithm = member._algorithm
        runners = algorithm.env_runner_group.foreach_env_runner(
            lambda runner: id(runner.env), local_env_runner=False
        )
        where = {"iteration": 1, "checkpoint": report.checkpoint, "digest": report.digest}
        member.become(member_state(member=2, hyperparameters={"lr": 5e-3}, **where))
        assert member._algorithm is algorithm
        assert runners == algorithm.env_runner_group.foreach_env_runner(
            lambda runner: id(runner.env), local_env_runner=False
        )
        assert rllib.effective_lr(algorithm) == (5e-3,)
    finally:
        member.close()


def test_row_17_the_learning_rate_after_a_restore_is_the_members_own(
    ray_runtime: None, tmp_path: Path
) -> None:
    """At once, and not after the next update only."""
    with local(lr=1e-3) as donor, local(lr=7e-3) as loser:
        donor.train()
        rllib.save(donor, tmp_path)
        rllib.restore(loser, tmp_path)
        assert rllib.effective_lr(loser) == (7e-3,)


def test_row_18_what_rllibs_checkpoints_leave_out_is_restored(
    ray_runtime: None, tmp_path: Path
) -> None:
    """PPO's adaptive KL coefficient here; the rest in ``tests/orchestrator/test_exactness.py``."""
    with local() as trained, local() as restored:
        trained.train()
        trained.train()
        rllib.save(trained, tmp_path)
        rllib.restore(restored, tmp_path)
        coefficients = [
            rllib.each_learner(algorithm, lambda learner: dict(learner.curr_kl_coeffs_per_module))
            for algorithm in (trained, restored)
        ]
    (before,), (after,) = coefficients
    assert float(before["default_policy"]) != pytest.approx(0.3)
    assert float(after["default_policy"]) == float(before["default_policy"])


def test_row_18_the_replay_buffer_is_restored(ray_runtime: None, tmp_path: Path) -> None:
    """DQN goes on with the transitions that it had."""
    config = configured(tiny_dqn(), pole())
    algorithms = [rllib.build(config, {}, "faults", number) for number in range(2)]
    try:
        trained, restored = algorithms
        trained.train()
        rllib.save(trained, tmp_path)
        rllib.restore(restored, tmp_path)
        lengths = [a.local_replay_buffer.get_num_timesteps() for a in algorithms]
        assert lengths[0] == lengths[1] > 0
    finally:
        for algorithm in algorithms:
            algorithm.stop()


def test_row_19_a_restore_back_in_time_reaches_every_env_runner(
    remote: Algorithm, tmp_path: Path
) -> None:
    """Learner, both remote runners and the evaluation runner hold the older weights."""
    rllib.save(remote, tmp_path)
    older = rllib.weights_digest(remote)
    for _ in range(2):
        remote.train()
    assert rllib.weights_digest(remote) != older
    rllib.restore(remote, tmp_path)
    assert rllib.check_weights(remote) == older


def test_row_19b_a_restore_never_leaves_an_env_runner_behind(
    remote: Algorithm, tmp_path: Path
) -> None:
    """Ten restores in a row, each with weights of its own: every runner has them each time."""
    for number in range(10):
        remote.train()
        rllib.save(remote, tmp_path / str(number))
    for number in (3, 9, 0, 7, 1, 8, 2, 6, 4, 5):
        rllib.restore(remote, tmp_path / str(number))
        rllib.check_weights(remote)


def test_row_22_a_push_that_misses_an_env_runner_raises(remote: Algorithm) -> None:
    """One runner is dead; the distribution's push does not count as done."""
    rllib.push_distribution(remote, NARROW_POLE, 1)
    manager = remote.env_runner_group._worker_manager
    victim = next(iter(manager.actors().values()))
    ray.kill(victim)
    # The kill takes effect some time after the call.
    with contextlib.suppress(RayActorError):
        while True:
            ray.get(victim.ping.remote())
    with pytest.raises((RuntimeError, RayActorError)):
        rllib.push_distribution(remote, NARROW_POLE, 2)
