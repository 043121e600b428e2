"""Built-in envs: gymnasium's classic control with true dynamics for every knob.

Importing this package imports no gymnasium; the modules that `BUILT_IN` names do.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["BUILT_IN"]

#: Name in an experiment file -> `module:attribute` of the env's class.
BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        "Acrobot": "experiments.envs.acrobot:Acrobot",
        "CartPole": "experiments.envs.cartpole:CartPole",
        "MountainCarContinuous": "experiments.envs.mountain_car:MountainCarContinuous",
        "Pendulum": "experiments.envs.pendulum:Pendulum",
    }
)
