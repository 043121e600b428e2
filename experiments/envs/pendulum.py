"""Pendulum whose gravity, mass, length and time step may vary."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

from gymnasium.envs.classic_control.pendulum import PendulumEnv

from experiments.envs.levels import NON_NEGATIVE, POSITIVE, Levelled, Settable, suggested

__all__ = ["Pendulum"]


class Pendulum(Levelled, PendulumEnv):
    """gymnasium's Pendulum, a uniform rod, with levels.

    The greatest torque and speed are no knobs: gymnasium derives the action and the observation
    space from them, and an agent's spaces are the same on every level. What gymnasium draws is
    always a rod of 1 m.

    knob | unit | meaning
    --- | --- | ---
    g | m/s² | gravity
    m | kg | the rod's mass
    l | m | the rod's length
    dt | s | time between two steps
    """

    SETTABLE: ClassVar[Mapping[str, Settable]] = MappingProxyType(
        {
            "g": Settable(10.0, (1.0, 20.0), NON_NEGATIVE),
            "m": Settable(1.0, (0.2, 3.0), POSITIVE),
            "l": Settable(1.0, (0.3, 3.0), POSITIVE),
            "dt": Settable(0.05, (0.01, 0.1), (1e-3, 1.0)),
        }
    )
    KNOBS: ClassVar[Mapping[str, tuple[float, float]]] = suggested(SETTABLE)
    max_episode_steps: ClassVar[int] = 200

    def __init__(
        self, config: Mapping[str, Any] | None = None, render_mode: str | None = None
    ) -> None:
        """`config` fixes knobs; raises ValueError for an unknown knob or an illegal value."""
        super().__init__(render_mode=render_mode)
        self._fix(config)
