"""Built-in envs, with true dynamics for every knob.

Importing this package imports no gymnasium; the modules that `BUILT_IN` names do.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["BUILT_IN", "EXTRAS"]

#: Name in an experiment file -> `module:attribute` of the env's class.
BUILT_IN: Mapping[str, str] = MappingProxyType(
    {
        "Acrobot": "experiments.envs.acrobot:Acrobot",
        "BipedalWalker": "experiments.envs.bipedal_walker:BipedalWalker",
        "CartPole": "experiments.envs.cartpole:CartPole",
        "Maze": "experiments.envs.maze:Maze",
        "MountainCarContinuous": "experiments.envs.mountain_car:MountainCarContinuous",
        "Pendulum": "experiments.envs.pendulum:Pendulum",
        "Spread": "experiments.envs.spread:Spread",
    }
)

#: Built-ins that need more than envolve does -> the extra that installs it, and its packages.
EXTRAS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        # gymnasium imports pygame for its Box2D envs even where nothing is drawn.
        "BipedalWalker": ("box2d", ("Box2D", "pygame")),
        "Spread": ("mpe", ("mpe2",)),
    }
)
