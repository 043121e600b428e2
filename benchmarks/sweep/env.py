"""CartPole that draws its physics at each reset, as one would write it for stock RLlib."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np

from experiments.envs.cartpole import CartPole

RANGES: Mapping[str, tuple[float, float]] = {
    "gravity": (5.0, 20.0),
    "length": (0.25, 2.0),
    "masspole": (0.05, 0.5),
}
"""What is drawn, log-uniformly: the knobs of ``cartpole.yaml``."""

_SUITE_SEED = 0
_numbers = itertools.count()


class DrawnCartPole(CartPole):
    """CartPole with knobs that are drawn anew at each reset, or fixed for an evaluation.

    Args:
        config: ``spread``: how much of each range is drawn from, around the usual value, 0 to 1;
            or ``suite``: a number n of levels. Of n envs made one after another each has another
            of them, for RLlib does not tell sub-envs apart.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        self.spread: float = config.get("spread", 1.0)
        self._own = None
        if "suite" in config:
            suite = np.random.default_rng((_SUITE_SEED, next(_numbers) % config["suite"]))
            self._own = drawn(suite, 1.0)

    def set_spread(self, spread: float) -> None:
        """Draw from so much of each range, from the next reset on."""
        self.spread = spread

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        self.set_level(drawn(self.np_random, self.spread) if self._own is None else self._own)
        return super().reset(seed=seed, options=options)


def drawn(rng: np.random.Generator, spread: float) -> dict[str, float]:
    """A level from this share of each range; 0 is the usual value, 1 the whole range."""
    level = {}
    for name, ends in RANGES.items():
        usual = CartPole.SETTABLE[name].default
        low, high = (usual * (end / usual) ** spread for end in ends)
        level[name] = float(low * (high / low) ** rng.random())
    return level
