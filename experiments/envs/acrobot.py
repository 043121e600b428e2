"""Acrobot whose gravity, links and torque may vary."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from gymnasium.envs.classic_control.acrobot import AcrobotEnv
from numpy import cos, pi, sin

from experiments.envs.levels import NON_NEGATIVE, POSITIVE, Levelled, Settable, suggested

__all__ = ["MAX_SUBSTEPS", "Acrobot"]

#: A level that needs more steps of integration per step of the env is refused.
MAX_SUBSTEPS = 100


class Acrobot(Levelled, AcrobotEnv):
    """gymnasium's Acrobot with levels, by the equations of Sutton and Barto's book.

    Derived from a link's length l and mass m: its centre of mass, at `link_com_fraction` * l from
    its upper joint, and its moment of inertia about that, `link_moi_factor` * m * l². gymnasium's
    moment of 1 kg m² is the factor 1, kept as the default; a uniform rod has 1/12.

    The episode ends when the tip is higher above the upper joint than half of both lengths
    together: gymnasium's condition at its own lengths, and within reach at any other. (The line
    that gymnasium draws stays at 1 m.)

    gymnasium integrates 0.2 s by one step of Runge-Kutta. For links lighter or shorter than its
    own that explodes, so a level is integrated in as many equal substeps as it is stiffer than
    the default, which keeps its one. The limits of the two speeds hold at each substep.

    knob | unit | meaning
    --- | --- | ---
    gravity | m/s² | fixed at 9.8 in gymnasium
    link_length_1, link_length_2 | m |
    link_mass_1, link_mass_2 | kg |
    link_com_fraction_1, link_com_fraction_2 | | centre of mass / length
    link_moi_factor | | moment of inertia / (mass * length²), of both links
    torque | N m | of the actions 0 (negative) and 2
    """

    SETTABLE: ClassVar[Mapping[str, Settable]] = MappingProxyType(
        {
            "gravity": Settable(9.8, (4.0, 20.0), NON_NEGATIVE),
            "link_length_1": Settable(1.0, (0.5, 2.0), POSITIVE),
            "link_length_2": Settable(1.0, (0.5, 2.0), POSITIVE),
            "link_mass_1": Settable(1.0, (0.5, 2.0), POSITIVE),
            "link_mass_2": Settable(1.0, (0.5, 2.0), POSITIVE),
            "link_com_fraction_1": Settable(0.5, (0.25, 0.75), (0.0, 1.0)),
            "link_com_fraction_2": Settable(0.5, (0.25, 0.75), (0.0, 1.0)),
            "link_moi_factor": Settable(1.0, (0.25, 2.0), (0.01, 100.0)),
            "torque": Settable(1.0, (0.5, 2.0), POSITIVE),
        }
    )
    KNOBS: ClassVar[Mapping[str, tuple[float, float]]] = suggested(SETTABLE)
    max_episode_steps: ClassVar[int] = 500

    gravity: float
    link_moi_1: float
    link_moi_2: float
    substeps: int

    def __init__(
        self, config: Mapping[str, Any] | None = None, render_mode: str | None = None
    ) -> None:
        """`config` fixes knobs; raises ValueError for an unknown knob or an illegal value."""
        super().__init__(render_mode=render_mode)
        self._fix(config)

    def step(self, a: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Apply torque `a` for 0.2 s; the episode's end is judged at the end of them."""
        for _ in range(self.substeps - 1):
            super().step(a)  # type: ignore[no-untyped-call]
        obs, reward, terminated, truncated, info = super().step(a)  # type: ignore[no-untyped-call]
        return obs, float(reward), terminated, truncated, info

    def _apply(self, values: Mapping[str, float]) -> None:
        substeps = _substeps(values)
        self.gravity = values["gravity"]
        # gymnasium's names, which its drawing reads too. The instance's own hide the class's.
        self.LINK_LENGTH_1 = values["link_length_1"]
        self.LINK_LENGTH_2 = values["link_length_2"]
        self.LINK_MASS_1 = values["link_mass_1"]
        self.LINK_MASS_2 = values["link_mass_2"]
        self.LINK_COM_POS_1 = values["link_com_fraction_1"] * self.LINK_LENGTH_1
        self.LINK_COM_POS_2 = values["link_com_fraction_2"] * self.LINK_LENGTH_2
        self.link_moi_1 = values["link_moi_factor"] * self.LINK_MASS_1 * self.LINK_LENGTH_1**2
        self.link_moi_2 = values["link_moi_factor"] * self.LINK_MASS_2 * self.LINK_LENGTH_2**2
        self.AVAIL_TORQUE = [-values["torque"], 0.0, values["torque"]]
        self.substeps = substeps
        self.dt = AcrobotEnv.dt / substeps

    def _terminal(self) -> bool:
        s: Any = self.state
        assert s is not None, "Call reset before using Acrobot."
        l1, l2 = self.LINK_LENGTH_1, self.LINK_LENGTH_2
        return bool(-l1 * cos(s[0]) - l2 * cos(s[1] + s[0]) > (l1 + l2) / 2)

    def _dsdt(self, s_augmented: np.ndarray) -> tuple[float, float, float, float, float]:
        # gymnasium's terms in gymnasium's order, so that the default is the same to the last bit;
        # gravity and the two moments of inertia are constants there.
        m1, m2 = self.LINK_MASS_1, self.LINK_MASS_2
        l1 = self.LINK_LENGTH_1
        lc1, lc2 = self.LINK_COM_POS_1, self.LINK_COM_POS_2
        i1, i2 = self.link_moi_1, self.link_moi_2
        g = self.gravity
        theta1, theta2, dtheta1, dtheta2, torque = s_augmented
        d1 = m1 * lc1**2 + m2 * (l1**2 + lc2**2 + 2 * l1 * lc2 * cos(theta2)) + i1 + i2
        d2 = m2 * (lc2**2 + l1 * lc2 * cos(theta2)) + i2
        phi2 = m2 * lc2 * g * cos(theta1 + theta2 - pi / 2.0)
        phi1 = (
            -m2 * l1 * lc2 * dtheta2**2 * sin(theta2)
            - 2 * m2 * l1 * lc2 * dtheta2 * dtheta1 * sin(theta2)
            + (m1 * lc1 + m2 * l1) * g * cos(theta1 - pi / 2)
            + phi2
        )
        ddtheta2 = (torque + d2 / d1 * phi1 - m2 * l1 * lc2 * dtheta1**2 * sin(theta2) - phi2) / (
            m2 * lc2**2 + i2 - d2**2 / d1
        )
        ddtheta1 = -(d2 * ddtheta2 + phi1) / d1
        return dtheta1, dtheta2, ddtheta1, ddtheta2, 0.0


def _stiffness(values: Mapping[str, float]) -> float:
    """Return an upper bound, in 1/s, of how fast the two links can answer.

    The frequency of swings by weight and torque, plus the rate of the centrifugal and Coriolis
    terms at the greatest speed and what the torque can add to it within 0.2 s; both for the least
    eigenvalue that the mass matrix has at any posture, which is where the links are in line.
    """
    l1, l2 = values["link_length_1"], values["link_length_2"]
    m1, m2 = values["link_mass_1"], values["link_mass_2"]
    lc1, lc2 = values["link_com_fraction_1"] * l1, values["link_com_fraction_2"] * l2
    i1, i2 = values["link_moi_factor"] * m1 * l1**2, values["link_moi_factor"] * m2 * l2**2
    coupling = m2 * l1 * lc2
    inner = i1 + m1 * lc1**2 + m2 * l1**2
    outer = i2 + m2 * lc2**2
    trace = inner + 2 * outer + 2 * coupling
    spread = math.hypot(inner + 2 * coupling, 2 * (outer + coupling))
    inertia = 2 * (inner * outer - coupling**2) / (trace + spread)
    weight = (m1 * lc1 + m2 * l1 + m2 * lc2) * values["gravity"]
    swing = math.sqrt((weight + values["torque"]) / inertia)
    speed = AcrobotEnv.MAX_VEL_2 + values["torque"] * AcrobotEnv.dt / inertia
    return swing + coupling / inertia * speed


_DEFAULT_STIFFNESS = _stiffness({name: knob.default for name, knob in Acrobot.SETTABLE.items()})


def _substeps(values: Mapping[str, float]) -> int:
    """Return the substeps that `values` need; raises ValueError above `MAX_SUBSTEPS`."""
    substeps = max(1, math.ceil(_stiffness(values) / _DEFAULT_STIFFNESS))
    if substeps > MAX_SUBSTEPS:
        raise ValueError(
            f"a level of Acrobot must need at most {MAX_SUBSTEPS} substeps of integration, but "
            f"this one needs {substeps}: {dict(values)}; a greater link_moi_factor, or links "
            "nearer to each other in mass and length, need fewer"
        )
    return substeps
