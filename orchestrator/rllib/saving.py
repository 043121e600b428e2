"""Saving and restoring an Algorithm's whole state: RLlib's part, and what it leaves out."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from ray.exceptions import RayError
from ray.rllib.algorithms.algorithm import Algorithm

from orchestrator.rllib.processes import each_learner, each_runner
from orchestrator.rllib.running import env_steps
from orchestrator.rllib.weights import check_weights, push_weights

# Learner state that RLlib's checkpoints leave out: PPO's adaptive KL coefficient, SAC's
# temperature, and when the target networks were last updated.
_LEARNER_EXTRAS = ("curr_kl_coeffs_per_module", "curr_log_alpha", "last_update_ts_by_mid")
# Its schedulers: they hold no state, but they are only brought up to date by an update.
_ENTROPY = "entropy_coeff_schedulers_per_module"
_ALGORITHM = "algorithm"
_EXTRAS = "extras.pkl"
_PATIENCE = 60.0


def save(algorithm: Algorithm, directory: Path) -> None:
    """Write the Algorithm's whole state under ``directory``: RLlib's part and what it forgets.

    No generator's state but the replay buffer's is in it: a `reseed` follows every restore.
    """
    algorithm.save_to_path(str(directory / _ALGORITHM))
    extras: dict[str, Any] = {
        "learners": each_learner(algorithm, _learner_extras),
        "runners": _runners_metrics(algorithm),
    }
    buffer = getattr(algorithm, "local_replay_buffer", None)
    if buffer is not None:
        extras["replay_buffer"] = _buffer_state(buffer)
    with open(directory / _EXTRAS, "wb") as file:
        pickle.dump(extras, file, protocol=pickle.HIGHEST_PROTOCOL)


def restore(algorithm: Algorithm, directory: Path) -> None:
    """Load what `save` wrote, into learner, training runners and evaluation runner.

    Learning rates and other schedules are what the Algorithm's own config says of the
    checkpoint's env steps, and not what the checkpoint had.

    Raises:
        RestoreFailed: if one of them does not hold the checkpoint's weights afterwards.
    """
    algorithm.restore_from_path(str(directory / _ALGORITHM))
    with open(directory / _EXTRAS, "rb") as file:
        extras = pickle.load(file)
    learners, runners = extras["learners"], extras["runners"]

    def load_learner(learner: Any) -> None:
        _load_learner_extras(learner, learners[0])

    def load_runner(runner: Any) -> None:
        # A runner that the checkpoint's Algorithm did not have begins with none.
        runner.metrics.set_state(runners.get(_index(runner), {"stats": {}}))

    each_learner(algorithm, load_learner)
    each_runner(algorithm, load_runner)
    if "replay_buffer" in extras:
        _load_buffer(algorithm.local_replay_buffer, extras["replay_buffer"])
    _apply_schedules(algorithm)
    push_weights(algorithm)
    check_weights(algorithm)


def effective_lr(algorithm: Algorithm) -> tuple[float, ...]:
    """Learning rates that the optimizers of the first learner will use next."""

    def rates(learner: Any) -> list[float]:
        return [
            float(group["lr"])
            for optimizer in learner._named_optimizers.values()
            for group in optimizer.param_groups
        ]

    return tuple(each_learner(algorithm, rates)[0])


def _apply_schedules(algorithm: Algorithm) -> None:
    """Set learning rates and entropy coefficients to what their schedules say.

    RLlib does so after each update of the learner, so that before the first one they are
    those of step 0, however many steps were sampled until then.
    """
    steps = env_steps(algorithm)

    def load(learner: Any) -> None:
        updated = learner._weights_seq_no > 0
        now = steps if updated else 0
        for optimizer, schedule in learner._optimizer_lr_schedules.items():
            rate = schedule.update(timestep=now)
            # A new optimizer has the first rate in single precision.
            learner._set_optimizer_lr(
                optimizer, lr=rate if updated else schedule.get_current_value()
            )
        entropy = getattr(learner, _ENTROPY, None)
        if entropy is not None:
            for module_id in learner.module.keys():  # noqa: SIM118
                entropy[module_id].update(timestep=now)

    each_learner(algorithm, load)


def _index(runner: Any) -> int:
    return int(runner.worker_index or 0)


def _runners_metrics(algorithm: Algorithm) -> dict[int, Any]:
    """What each runner averages over its whole life; RLlib keeps the Algorithm's metrics alone.

    A runner that is dead, or silent for a minute, is left out: no model is lost for that.
    """

    def state(runner: Any) -> tuple[int, Any]:
        return _index(runner), runner.metrics.get_state()

    group = algorithm.env_runner_group
    try:
        answers = group.foreach_env_runner(
            state,
            local_env_runner=group.num_remote_env_runners() == 0,
            timeout_seconds=_PATIENCE,
        )
    except RayError:
        return {}
    return dict(answers)


def _buffer_state(buffer: Any) -> dict[str, Any]:
    state = {"content": buffer.get_state(), "metrics": buffer.metrics.get_state()}
    return state | {"rng": buffer.rng.bit_generator.state}


def _load_buffer(buffer: Any, state: Mapping[str, Any]) -> None:
    # A buffer that has episodes keeps them, and takes the others' indices.
    buffer.episodes.clear()
    buffer.set_state(state["content"])
    buffer.metrics.set_state(state["metrics"])
    buffer.rng.bit_generator.state = state["rng"]


def _learner_extras(learner: Any) -> dict[str, dict[str, float]]:
    found = {}
    for name in _LEARNER_EXTRAS:
        values = getattr(learner, name, None)
        if values is not None:
            found[name] = {str(key): float(_plain(value)) for key, value in values.items()}
    return found


def _plain(value: Any) -> Any:
    return value.detach() if isinstance(value, torch.Tensor) else value


def _load_learner_extras(learner: Any, extras: Mapping[str, Mapping[str, float]]) -> None:
    for name, values in extras.items():
        present = getattr(learner, name)
        for module_id, value in values.items():
            if isinstance(present[module_id], torch.Tensor):
                present[module_id].data.fill_(value)
            else:
                present[module_id] = int(value)
