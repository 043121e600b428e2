"""A lander in one dimension: an env of one's own, with all four kinds of knobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np

THRUST = {"weak": 2.0, "normal": 4.0, "strong": 6.0}
DT = 0.1


class Lander(gymnasium.Env[np.ndarray, int]):
    """Come down softly, with little fuel.

    All that envolve needs is `set_level`: called with the values of all knobs before each
    reset. The observation is (height, speed), the action 0 (fall) or 1 (thrust).
    """

    def __init__(self, max_steps: int = 200) -> None:
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (2,), np.float32)
        self.action_space = gymnasium.spaces.Discrete(2)
        self.max_steps = max_steps
        self.gravity = 1.0
        self.thrust = THRUST["normal"]
        self.start_height = 10
        self.reward_mix: Mapping[str, float] = {"softness": 0.5, "fuel": 0.5}

    def set_level(self, level: Mapping[str, Any]) -> None:
        """Take over the level that the next episode is played on."""
        self.gravity = level["gravity"]
        self.thrust = THRUST[level["thrusters"]]
        self.start_height = level["start_height"]
        self.reward_mix = level["reward_mix"]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start at the level's height, with a little random speed."""
        super().reset(seed=seed)
        self.height = float(self.start_height)
        self.speed = float(self.np_random.uniform(-0.5, 0.5))
        self.steps = 0
        return self._observation(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One tenth of a second."""
        self.steps += 1
        self.speed += DT * (self.thrust * int(action) - self.gravity)
        self.height += DT * self.speed
        landed = self.height <= 0.0
        reward = -self.reward_mix["fuel"] * 0.05 * int(action)
        if landed:
            reward += self.reward_mix["softness"] * (10.0 - min(abs(self.speed), 10.0) * 2.0)
        info = {"is_success": landed and abs(self.speed) < 1.0}
        return self._observation(), reward, landed, self.steps >= self.max_steps, info

    def _observation(self) -> np.ndarray:
        return np.array([self.height, self.speed], dtype=np.float32)
