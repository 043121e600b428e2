"""CartPole whose gravity, masses, pole length, push, time step and start may vary."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, cast

import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv
from gymnasium.spaces import Box

from experiments.envs.levels import NON_NEGATIVE, POSITIVE, Levelled, Settable, suggested

__all__ = ["CartPole"]


class CartPole(Levelled, CartPoleEnv):
    """gymnasium's CartPole with levels.

    The limits of position and angle are no knobs: gymnasium derives the observation space from
    them, and an agent's spaces are the same on every level.

    knob | unit | meaning
    --- | --- | ---
    gravity | m/s² |
    masscart, masspole | kg | the total mass is derived
    length | m | **half** the pole's length, as in gymnasium
    force_mag | N | the push to either side
    tau | s | time between two steps
    start_spread | | every state variable starts uniformly within ± this
    """

    SETTABLE: ClassVar[Mapping[str, Settable]] = MappingProxyType(
        {
            "gravity": Settable(9.8, (1.0, 25.0), NON_NEGATIVE),
            "masscart": Settable(1.0, (0.2, 5.0), POSITIVE),
            "masspole": Settable(0.1, (0.02, 1.0), POSITIVE),
            "length": Settable(0.5, (0.1, 3.0), POSITIVE),
            "force_mag": Settable(10.0, (2.0, 40.0), POSITIVE),
            "tau": Settable(0.02, (0.005, 0.05), (1e-3, 1.0)),
            # An episode that starts beyond 12 degrees (0.209 rad) would be over at once.
            "start_spread": Settable(0.05, (0.0, 0.15), (0.0, 0.2)),
        }
    )
    KNOBS: ClassVar[Mapping[str, tuple[float, float]]] = suggested(SETTABLE)
    max_episode_steps: ClassVar[int] = 500

    start_spread: float

    def __init__(
        self, config: Mapping[str, Any] | None = None, render_mode: str | None = None
    ) -> None:
        """`config` fixes knobs; raises ValueError for an unknown knob or an illegal value."""
        super().__init__(render_mode=render_mode)
        self._fix(config)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode; `low` and `high` in `options` go before `start_spread`."""
        bounds = {"low": -self.start_spread, "high": self.start_spread}
        observation, info = super().reset(seed=seed, options=bounds | (options or {}))
        return observation, info

    def step(
        self, action: int | np.ndarray
    ) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Push the cart for `tau` seconds.

        The observation that ends an episode is clipped into the observation space, which a quick
        level could leave; no step follows it and gymnasium's own values are not touched.
        """
        observation, reward, terminated, truncated, info = super().step(action)  # type: ignore[no-untyped-call]
        if terminated:
            space = cast("Box", self.observation_space)
            observation = np.clip(observation, space.low, space.high)
        return observation, reward, terminated, truncated, info

    def _apply(self, values: Mapping[str, float]) -> None:
        super()._apply(values)
        self.total_mass = self.masspole + self.masscart
        self.polemass_length = self.masspole * self.length
