from __future__ import annotations

import numpy as np
import pytest

from experiments.envs.pendulum import Pendulum

LEVELS = [
    {},
    {"g": 3.0},
    {"m": 2.0},
    {"l": 0.5},
    {"dt": 0.02},
    {"g": 15.0, "m": 0.4, "l": 2.0, "dt": 0.08},
]


@pytest.mark.parametrize("level", LEVELS, ids=str)
def test_a_rod_answers_weight_and_torque_as_in_closed_form(level: dict[str, float]) -> None:
    # A uniform rod about its end has the moment m l^2 / 3, and its weight the arm l / 2.
    env = Pendulum()
    env.set_level(level)
    env.reset(seed=0)
    tilt, torque = 0.5, 1.5
    env.state = np.array([tilt, 0.0])
    env.step(np.array([torque]))
    m, g, length, dt = (env.level[name] for name in ("m", "g", "l", "dt"))
    moment = m * length**2 / 3
    speed = (m * g * length / 2 * np.sin(tilt) + torque) / moment * dt
    assert env.state == pytest.approx([tilt + speed * dt, speed])


def test_without_gravity_a_rod_stays_where_it_is() -> None:
    env = Pendulum({"g": 0})
    env.reset(seed=0)
    env.state = np.array([1.0, 0.0])
    env.step(np.array([0.0]))
    assert env.state.tolist() == [1.0, 0.0]
