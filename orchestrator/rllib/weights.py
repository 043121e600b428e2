"""Weights: the same in learner, training runners and evaluation runner, and shown to be."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.core import COMPONENT_LEARNER, COMPONENT_RL_MODULE

from orchestrator.rllib.processes import each_learner, each_runner


class RestoreFailed(RuntimeError):
    """After a restore some process does not hold the checkpoint's weights."""


def push_weights(algorithm: Algorithm) -> None:
    """Bring the learner's weights and the connectors' state to every runner of both groups.

    RLlib's own sync is asynchronous, and a runner ignores weights whose sequence number is
    not higher than its own; so this one waits, and leaves the number out first.
    """
    weights = _learner_weights(algorithm)
    number = each_learner(algorithm, lambda learner: int(learner._weights_seq_no))[0]
    state: dict[str, Any] = {COMPONENT_RL_MODULE: weights}
    local = algorithm.env_runner
    if local is not None:
        state |= local.get_state(not_components=[COMPONENT_RL_MODULE])

    def load(runner: Any) -> None:
        runner.set_state(state)
        runner._weights_seq_no = number

    each_runner(algorithm, load)
    if local is not None:
        load(local)
    evaluation = algorithm.eval_env_runner
    if evaluation is not None:
        load(evaluation)


def check_weights(algorithm: Algorithm) -> str:
    """Compare weights digests of learner, training runners and evaluation runner; returns it.

    Raises:
        RestoreFailed: if one differs.
    """
    expected = weights_digest(algorithm)

    def digest(runner: Any) -> str:
        return _digest(_module_weights(runner))

    found = {f"env runner {i}": d for i, d in enumerate(each_runner(algorithm, digest))}
    if algorithm.eval_env_runner is not None:
        found["evaluation runner"] = digest(algorithm.eval_env_runner)
    wrong = [where for where, value in found.items() if value != expected]
    if wrong:
        raise RestoreFailed(f"must hold the learner's weights, but do not: {', '.join(wrong)}")
    return expected


def weights_digest(algorithm: Algorithm) -> str:
    """SHA-256 of the learner's weights (those that acting needs), as hex."""
    return _digest(_learner_weights(algorithm))


def _learner_weights(algorithm: Algorithm) -> Any:
    state = algorithm.learner_group.get_state(
        components=f"{COMPONENT_LEARNER}/{COMPONENT_RL_MODULE}", inference_only=True
    )
    return state[COMPONENT_LEARNER][COMPONENT_RL_MODULE]


def _module_weights(runner: Any) -> Any:
    state = runner.module.get_state(inference_only=True)
    nested = all(isinstance(value, Mapping) for value in state.values())
    return state if nested else {"default_policy": state}


def _digest(weights: Any) -> str:
    digest = hashlib.sha256()

    def add(path: str, node: Any) -> None:
        if isinstance(node, Mapping):
            for key in sorted(node):
                add(f"{path}/{key}", node[key])
        else:
            digest.update(path.encode())
            digest.update(np.ascontiguousarray(np.asarray(node)).tobytes())

    add("", weights)
    return digest.hexdigest()
