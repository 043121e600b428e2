from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from experiments.envs.mountain_car import MountainCarContinuous


def speed_after(level: dict[str, float], position: float, force: float) -> float:
    """Return the velocity after one step from rest."""
    env = MountainCarContinuous()
    env.set_level(level)
    env.reset(seed=0)
    env.state = np.array([position, 0.0])
    observation, *_ = env.step(np.array([force]))
    return float(observation[1])


def outcome(level: dict[str, float], position: float, velocity: float) -> tuple[bool, float]:
    """Return whether an idle step from there ends the episode, and its reward."""
    env = MountainCarContinuous(level)
    env.reset(seed=0)
    env.state = np.array([position, velocity])
    _, reward, terminated, _, _ = env.step(np.array([0.0]))
    return terminated, reward


@pytest.mark.parametrize("power", [0.0008, 0.0015, 0.004])
def test_power_accelerates(power: float) -> None:
    # The slope is nought at the bottom of the valley.
    bottom = -math.pi / 6
    assert speed_after({"power": power}, bottom, 1.0) == pytest.approx(power)
    assert speed_after({"power": power}, bottom, -0.5) == pytest.approx(-power / 2)


@pytest.mark.parametrize("gravity", [0.0, 0.001, 0.0025, 0.004])
def test_gravity_pulls_into_the_valley(gravity: float) -> None:
    for position in (-1.0, 0.2):
        assert speed_after({"gravity": gravity}, position, 0.0) == pytest.approx(
            -gravity * math.cos(3 * position)
        )


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ({}, (False, 0.0)),
        ({"goal_position": 0.2}, (True, 100.0)),
        ({"goal_position": 0.2, "goal_velocity": 0.05}, (False, 0.0)),
        ({"goal_position": 0.2, "goal_velocity": 0.02}, (True, 100.0)),
    ],
    ids=str,
)
def test_goal_is_a_place_and_a_least_speed(level: dict[str, Any], expected: Any) -> None:
    assert outcome(level, position=0.2, velocity=0.03) == expected


def test_the_wall_stops_the_car() -> None:
    env = MountainCarContinuous({"gravity": 0.001})
    env.reset(seed=0)
    env.state = np.array([-1.19, -0.05])
    observation, *_ = env.step(np.array([0.0]))
    assert observation.tolist() == [np.float32(-1.2), 0.0]
