"""MountainCarContinuous whose engine, gravity and goal may vary."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from gymnasium.envs.classic_control.continuous_mountain_car import Continuous_MountainCarEnv

from experiments.envs.levels import Levelled, Settable, suggested

__all__ = ["MountainCarContinuous"]


class MountainCarContinuous(Levelled, Continuous_MountainCarEnv):
    """gymnasium's MountainCarContinuous with levels.

    The track's ends and the greatest speed are no knobs: gymnasium derives the observation space
    from them, and an agent's spaces are the same on every level. Lengths are positions along the
    x-axis, from -1.2 to 0.6, and time is counted in steps.

    knob | unit | meaning
    --- | --- | ---
    power | 1/step² | acceleration by an action of 1
    gravity | 1/step² | acceleration where the slope is steepest (fixed in gymnasium)
    goal_position | | where the episode ends; the summit is at π/6, about 0.52
    goal_velocity | 1/step | least speed there
    """

    SETTABLE: ClassVar[Mapping[str, Settable]] = MappingProxyType(
        {
            "power": Settable(0.0015, (0.0008, 0.004), (1e-5, 1.0)),
            "gravity": Settable(0.0025, (0.001, 0.004), (0.0, 1.0)),
            # Episodes start at -0.4 or left of it; nothing lies right of 0.6.
            "goal_position": Settable(0.45, (0.0, 0.55), (-0.35, 0.6)),
            # Nothing is faster than 0.07.
            "goal_velocity": Settable(0.0, (0.0, 0.03), (0.0, 0.07)),
        }
    )
    KNOBS: ClassVar[Mapping[str, tuple[float, float]]] = suggested(SETTABLE)
    max_episode_steps: ClassVar[int] = 999

    gravity: float
    state: np.ndarray

    def __init__(
        self, config: Mapping[str, Any] | None = None, render_mode: str | None = None
    ) -> None:
        """`config` fixes knobs; raises ValueError for an unknown knob or an illegal value."""
        super().__init__(render_mode=render_mode)
        self._fix(config)

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Advance by one step: gymnasium's own, but for the gravity, which is a constant there."""
        position, velocity = self.state
        force = min(max(action[0], self.min_action), self.max_action)

        velocity += force * self.power - self.gravity * math.cos(3 * position)
        velocity = max(min(velocity, self.max_speed), -self.max_speed)
        position += velocity
        position = max(min(position, self.max_position), self.min_position)
        if position == self.min_position and velocity < 0:
            velocity = 0.0

        terminated = bool(position >= self.goal_position and velocity >= self.goal_velocity)
        reward = (100.0 if terminated else 0.0) - math.pow(action[0], 2) * 0.1
        self.state = np.array([position, velocity], dtype=np.float32)

        if self.render_mode == "human":
            self.render()  # type: ignore[no-untyped-call]
        return self.state, reward, terminated, False, {}
