"""Saving and restoring an Algorithm's whole state: RLlib's part, and what it leaves out."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from ray.rllib.algorithms.algorithm import Algorithm

from orchestrator.rllib.processes import each_learner
from orchestrator.rllib.running import env_steps
from orchestrator.rllib.weights import check_weights, push_weights

# Learner state that RLlib's checkpoints leave out: PPO's adaptive KL coefficient, SAC's
# temperature, and when the target networks were last updated.
_LEARNER_EXTRAS = ("curr_kl_coeffs_per_module", "curr_log_alpha", "last_update_ts_by_mid")
_ALGORITHM = "algorithm"
_EXTRAS = "extras.pkl"


def save(algorithm: Algorithm, directory: Path) -> None:
    """Write the Algorithm's whole state under ``directory``: RLlib's part and what it forgets."""
    algorithm.save_to_path(str(directory / _ALGORITHM))
    extras: dict[str, Any] = {"learners": each_learner(algorithm, _learner_extras)}
    buffer = getattr(algorithm, "local_replay_buffer", None)
    if buffer is not None:
        extras["replay_buffer"] = buffer.get_state()
    with open(directory / _EXTRAS, "wb") as file:
        pickle.dump(extras, file)


def restore(algorithm: Algorithm, directory: Path) -> None:
    """Load what `save` wrote, into learner, training runners and evaluation runner.

    Learning rates are what the Algorithm's own config says, and not those of the checkpoint.

    Raises:
        RestoreFailed: if one of them does not hold the checkpoint's weights afterwards.
    """
    algorithm.restore_from_path(str(directory / _ALGORITHM))
    with open(directory / _EXTRAS, "rb") as file:
        extras = pickle.load(file)
    learners = extras["learners"]

    def load(learner: Any) -> None:
        _load_learner_extras(learner, learners[0])

    each_learner(algorithm, load)
    if "replay_buffer" in extras:
        buffer = algorithm.local_replay_buffer
        # A buffer that has episodes keeps them, and takes the others' indices.
        buffer.episodes.clear()
        buffer.set_state(extras["replay_buffer"])
    _apply_learning_rates(algorithm)
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


def _apply_learning_rates(algorithm: Algorithm) -> None:
    """Set every optimizer's learning rate to what its schedule says; RLlib does after an update."""
    steps = env_steps(algorithm)

    def load(learner: Any) -> None:
        for optimizer, schedule in learner._optimizer_lr_schedules.items():
            learner._set_optimizer_lr(optimizer, lr=schedule.update(timestep=steps))

    each_learner(algorithm, load)


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
