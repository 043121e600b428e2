"""Whether an Algorithm's weights are numbers at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.core import COMPONENT_LEARNER, COMPONENT_RL_MODULE


def finite_weights(algorithm: Algorithm) -> bool:
    """Whether all of the learner's weights are finite."""
    state = algorithm.learner_group.get_state(
        components=f"{COMPONENT_LEARNER}/{COMPONENT_RL_MODULE}", inference_only=False
    )
    return _finite(state[COMPONENT_LEARNER][COMPONENT_RL_MODULE])


def _finite(node: Any) -> bool:
    if isinstance(node, Mapping):
        return all(_finite(child) for child in node.values())
    return bool(np.isfinite(np.asarray(node)).all())
