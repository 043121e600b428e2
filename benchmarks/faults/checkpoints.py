"""What stock RLlib leaves out of a checkpoint, or does not bring to its env runners."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.faults.learners import (
    MODULE,
    equal,
    learner,
    learner_weights,
    ppo,
    runner_weights,
    sac,
    set_tasks,
    tasks,
)
from benchmarks.faults.outcome import Outcome
from benchmarks.faults.toy import start_ray

_RESTORES = 6
_TASK = 5


def learning_rate(folder: Path) -> Outcome:
    """A trial's own learning rate after it was given the checkpoint of one with another."""
    start_ray(folder, cpus=1)
    donor = ppo(lr=1e-3).build_algo()
    donor.train()
    donor.save_to_path(str(folder / "donor"))
    loser = ppo(lr=1e-4).build_algo()
    loser.restore_from_path(str(folder / "donor"))
    restored = _rate(loser)
    loser.train()
    text = f"lr of the config 0.0001, of the donor 0.001; in the optimizer {restored:g} after the"
    text = f"{text} restore, {_rate(loser):g} after the next train()"
    return Outcome(text, restored != 1e-4)


def left_out(folder: Path) -> Outcome:
    """PPO's KL coefficient, SAC's temperature and its replay buffer, saved and restored."""
    start_ray(folder, cpus=1)
    texts, lost = [], False
    for name, config, look in (
        ("PPO's KL coefficient", ppo(kl_target=1e-9), _kl_coefficient),
        ("SAC's log alpha", sac(), _log_alpha),
    ):
        algorithm = config.build_algo()
        for _ in range(3):
            algorithm.train()
        place = str(folder / name.partition("'")[0])
        algorithm.save_to_path(place)
        again = config.build_algo()
        again.restore_from_path(place)
        before, after = look(algorithm), look(again)
        texts.append(f"{name} {before:.3g} came back as {after:.3g}")
        lost |= before != after
        if algorithm.local_replay_buffer is not None:
            sizes = [each.local_replay_buffer.get_num_timesteps() for each in (algorithm, again)]
            texts.append(f"its replay buffer of {sizes[0]} steps with {sizes[1]}")
            lost |= sizes[0] != sizes[1]
    return Outcome(", ".join(texts), lost)


def older_weights(folder: Path) -> Outcome:
    """An Algorithm goes back to a checkpoint of its own."""
    start_ray(folder, cpus=4)
    texts, lost = [], False
    for remote in (0, 1):
        algorithm = ppo(remote, lr=0.01).build_algo()
        algorithm.train()
        place = str(folder / f"earlier{remote}")
        algorithm.save_to_path(place)
        earlier = learner_weights(algorithm)
        for _ in range(2):
            algorithm.train()
        later = runner_weights(algorithm)[0]
        algorithm.restore_from_path(place)
        time.sleep(1.0)  # Weights may be on their way.
        [held] = runner_weights(algorithm)
        restored = equal(learner_weights(algorithm), earlier)
        whose = "the restored" if equal(held, earlier) else "other"
        whose = "the later" if equal(held, later) else whose
        name = "remote" if remote else "local"
        has = "the restored" if restored else "other"
        texts.append(f"{name} runner: the learner has {has} weights, the runner {whose} ones")
        lost |= not equal(held, earlier)
        algorithm.stop()
    return Outcome("; ".join(texts), lost)


def initial_weights(folder: Path) -> Outcome:
    """New Algorithms with two remote env runners, restored from a trained one's checkpoint."""
    start_ray(folder, cpus=4)
    place = str(folder / "trained")
    trained = ppo(lr=0.01).build_algo()
    for _ in range(2):
        trained.train()
    trained.save_to_path(place)
    wrong = 0
    for _ in range(_RESTORES):
        algorithm = ppo(2, lr=0.01).build_algo()
        algorithm.restore_from_path(place)
        time.sleep(1.0)  # Weights may be on their way.
        expected = learner_weights(algorithm)
        wrong += not all(equal(held, expected) for held in runner_weights(algorithm))
        algorithm.stop()
    text = f"after {wrong} of {_RESTORES} restores with 2 remote runners one did not hold the"
    return Outcome(f"{text} checkpoint's weights", wrong > 0)


def env_state(folder: Path) -> Outcome:
    """A task that was given to the envs, saved and loaded."""
    from ray.rllib.algorithms.algorithm import Algorithm

    start_ray(folder, cpus=1)
    algorithm = ppo().build_algo()
    set_tasks(algorithm, _TASK)
    algorithm.train()
    before = tasks(algorithm)
    algorithm.save_to_path(str(folder / "saved"))
    after = tasks(Algorithm.from_checkpoint(str(folder / "saved")))
    text = f"tasks of the envs: {before} when saved, {after} in Algorithm.from_checkpoint"
    return Outcome(text, before != after)


def _rate(algorithm: Any) -> float:
    def look(each: Any) -> float:
        [(_, optimizer)] = each.get_optimizers_for_module(MODULE)
        return float(optimizer.param_groups[0]["lr"])

    return float(learner(algorithm, look))


def _kl_coefficient(algorithm: Any) -> float:
    return float(learner(algorithm, lambda each: float(each.curr_kl_coeffs_per_module[MODULE])))


def _log_alpha(algorithm: Any) -> float:
    return float(learner(algorithm, lambda each: float(each.curr_log_alpha[MODULE])))
