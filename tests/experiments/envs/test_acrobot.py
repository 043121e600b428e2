from __future__ import annotations

import math

import numpy as np
import pytest

from experiments.envs.acrobot import MAX_SUBSTEPS, Acrobot

LEVELS = [
    {},
    {"gravity": 4.0},
    {"link_length_1": 0.6},
    {"link_length_2": 1.8},
    {"link_mass_1": 2.0},
    {"link_mass_2": 0.5},
    {"link_com_fraction_1": 0.3},
    {"link_com_fraction_2": 0.7},
    {"link_moi_factor": 1 / 12},
    {
        "gravity": 15.0,
        "link_length_1": 0.7,
        "link_length_2": 1.4,
        "link_mass_1": 1.3,
        "link_mass_2": 0.6,
        "link_com_fraction_1": 0.6,
        "link_com_fraction_2": 0.4,
        "link_moi_factor": 0.4,
    },
]


def energy(knobs: dict[str, float], state: np.ndarray) -> float:
    """Return kinetic and potential energy of two jointed links, from the knobs alone."""
    angle, bend, spin, bend_spin = state
    total, total_spin = angle + bend, spin + bend_spin
    l1, l2 = knobs["link_length_1"], knobs["link_length_2"]
    m1, m2 = knobs["link_mass_1"], knobs["link_mass_2"]
    c1, c2 = l1 * knobs["link_com_fraction_1"], l2 * knobs["link_com_fraction_2"]
    i1, i2 = (knobs["link_moi_factor"] * m * length**2 for m, length in ((m1, l1), (m2, l2)))
    speed1 = c1 * spin
    speed2 = np.array(
        [
            l1 * spin * math.cos(angle) + c2 * total_spin * math.cos(total),
            l1 * spin * math.sin(angle) + c2 * total_spin * math.sin(total),
        ]
    )
    kinetic = m1 * speed1**2 + m2 * (speed2 @ speed2) + i1 * spin**2 + i2 * total_spin**2
    height1 = -c1 * math.cos(angle)
    height2 = -l1 * math.cos(angle) - c2 * math.cos(total)
    return kinetic / 2 + knobs["gravity"] * (m1 * height1 + m2 * height2)


@pytest.mark.parametrize("level", LEVELS, ids=str)
def test_free_links_keep_their_energy(level: dict[str, float]) -> None:
    env = Acrobot()
    env.set_level(level)
    env.reset(seed=0)
    env.dt = 0.005
    env.state = np.array([1.8, -0.7, 0.3, -0.5])
    before = energy(env.level, env.state)
    spins = []
    for _ in range(200):
        env.step(1)
        spins.append(abs(env.state[2]))
        assert energy(env.level, env.state) == pytest.approx(before, abs=1e-4)
    assert max(spins) > 0.5


@pytest.mark.parametrize("level", LEVELS, ids=str)
def test_torque_does_its_work(level: dict[str, float]) -> None:
    # Work is torque times the angle by which the joint between the links turned.
    env = Acrobot(level | {"torque": 1.7})
    env.reset(seed=0)
    env.dt = 0.005
    env.state = np.array([0.4, 0.2, 0.0, 0.0])
    before, bend = energy(env.level, env.state), env.state[1]
    for _ in range(40):
        env.step(2)
    assert energy(env.level, env.state) - before == pytest.approx(
        1.7 * (env.state[1] - bend), abs=1e-4
    )


def test_a_level_arm_falls_faster_under_more_gravity() -> None:
    spins = []
    for gravity in (5.0, 20.0):
        env = Acrobot({"gravity": gravity})
        env.reset(seed=0)
        env.substeps, env.dt = 1, 0.001
        env.state = np.array([math.pi / 2, 0.0, 0.0, 0.0])
        env.step(1)
        spins.append(env.state[2])
    assert spins[1] == pytest.approx(4 * spins[0], rel=1e-3)
    assert spins[0] < 0


def test_goal_is_half_of_the_reach_at_the_tips_true_height() -> None:
    env = Acrobot({"link_length_1": 0.5, "link_length_2": 2.0})
    env.reset(seed=0)
    # Above level by this angle, the straight arm's tip is at half of its reach.
    for above, reached in ((math.pi / 6 - 0.01, False), (math.pi / 6 + 0.01, True)):
        env.state = np.array([math.pi / 2 + above, 0.0, 0.0, 0.0])
        assert env._terminal() is reached
    # Only the short link is up.
    env.state = np.array([math.pi, math.pi, 0.0, 0.0])
    assert env._terminal() is False


def test_default_needs_one_substep_and_stiff_levels_more() -> None:
    env = Acrobot()
    assert env.substeps == 1
    env.set_level({"link_moi_factor": 1 / 12})
    assert env.substeps > 1
    assert env.substeps * env.dt == pytest.approx(0.2)
    env.set_level({})
    assert (env.substeps, env.dt) == (1, 0.2)


def gained(env: Acrobot, steps: int) -> float:
    """Return the greatest change of energy, in J, of links that swing freely."""
    env.reset(seed=0)
    env.state = np.array([0.6, 0.3, 0.0, 0.0])
    before, greatest = energy(env.level, env.state), 0.0
    for _ in range(steps):
        env.step(1)
        greatest = max(greatest, abs(energy(env.level, env.state) - before))
    return greatest


def test_the_stiffest_suggested_level_keeps_its_energy() -> None:
    stiff = {
        "gravity": 20.0,
        "link_length_1": 0.5,
        "link_length_2": 2.0,
        "link_mass_1": 0.5,
        "link_mass_2": 2.0,
        "link_com_fraction_1": 0.25,
        "link_com_fraction_2": 0.75,
        "link_moi_factor": 0.25,
    }
    env = Acrobot(stiff)
    assert gained(env, steps=25) < 1e-4
    # gymnasium's one step of Runge-Kutta per 0.2 s is no swing of these links.
    env.substeps, env.dt = 1, 0.2
    assert gained(env, steps=25) > 1.0


def test_a_level_too_stiff_to_integrate_is_refused_whole() -> None:
    env = Acrobot()
    with pytest.raises(ValueError, match=f"at most {MAX_SUBSTEPS} substeps"):
        env.set_level({"gravity": 5.0, "link_length_1": 0.001})
    assert env.level == Acrobot().level
    assert env.gravity == 9.8
