from __future__ import annotations

import numpy as np
import pytest

from experiments.envs.cartpole import CartPole

LEVELS = [
    {},
    {"masscart": 3.0},
    {"masspole": 0.8},
    {"length": 2.0},
    {"force_mag": 25.0},
    {"tau": 0.04},
    {"masscart": 0.4, "masspole": 0.05, "length": 0.2, "force_mag": 4.0, "tau": 0.01},
]


def pushed_from(level: dict[str, float], tilt: float, action: int = 1) -> np.ndarray:
    """Return the state after one push of a pole at rest."""
    env = CartPole()
    env.set_level(level)
    env.reset(seed=0)
    env.state = np.array([0.0, 0.0, tilt, 0.0])
    env.step(action)
    assert env.state is not None
    return env.state


@pytest.mark.parametrize("level", LEVELS, ids=str)
def test_a_push_of_an_upright_pole_is_as_in_closed_form(level: dict[str, float]) -> None:
    # A uniform pole of half length l hinged on a cart: a = F / (M + m/4), alpha = -3/4 * a / l.
    knobs = CartPole(level).level
    acceleration = knobs["force_mag"] / (knobs["masscart"] + knobs["masspole"] / 4)
    _, speed, _, spin = pushed_from(level, tilt=0.0)
    assert speed == pytest.approx(knobs["tau"] * acceleration)
    assert spin == pytest.approx(-0.75 * knobs["tau"] * acceleration / knobs["length"])


def test_a_tilted_pole_falls_faster_under_more_gravity() -> None:
    light, heavy = ({"gravity": g} for g in (5.0, 20.0))
    spins = [
        sum(pushed_from(level, tilt=0.1, action=action)[3] for action in (0, 1)) / 2
        for level in (light, heavy)
    ]
    # The pushes cancel, and what is left is proportional to gravity.
    assert spins[0] > 0
    assert spins[1] == pytest.approx(4 * spins[0])


def test_derived_values_follow_their_knobs() -> None:
    env = CartPole()
    env.set_level({"masspole": 0.5, "masscart": 2.0, "length": 1.5})
    assert env.total_mass == 2.5
    assert env.polemass_length == 0.75


def test_start_spread_bounds_the_start() -> None:
    env = CartPole({"start_spread": 0.15})
    starts = np.array([env.reset(seed=seed)[0] for seed in range(200)])
    assert np.abs(starts).max() <= 0.15
    assert np.abs(starts).max() > 0.14
    env.set_level({"start_spread": 0.0})
    assert not env.reset(seed=0)[0].any()


def test_reset_options_go_before_start_spread() -> None:
    env = CartPole({"start_spread": 0.0})
    observation, _ = env.reset(seed=0, options={"low": 0.1, "high": 0.1})
    assert observation == pytest.approx([0.1] * 4)


def test_the_last_observation_stays_in_the_space_on_a_quick_level() -> None:
    env = CartPole({"force_mag": 40.0, "masscart": 0.2, "length": 0.1, "tau": 0.05})
    env.reset(seed=0)
    terminated = False
    while not terminated:
        observation, _, terminated, _, _ = env.step(1)
    assert env.state is not None
    assert abs(env.state[2]) > env.observation_space.high[2]
    assert env.observation_space.contains(observation)
